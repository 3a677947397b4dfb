"""`tabian drill`: a round on a stack whose servers are lost in the middle of it: put back to the last moment, then to one in the
middle; what the second lost is named, repeated by those it concerns, and the round is closed.

Starts a stack of its own. Not here: what a restore does (`gateway.stack.backup`), and what counts as lost
(`deploy.rehearsal.checker`).
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import click

from deploy.rehearsal.checker import UPLOAD, ByUrl, Promise, lost_promises
from deploy.rehearsal.load.caller import Call
from deploy.rehearsal.load.calls import certification, confirmation, roll, rolls
from gateway.cli.bench.acts import mend, ready_versions
from gateway.cli.bench.closing import measure_close
from gateway.cli.drill_report import Drilled, markdown
from gateway.cli.result import write_json
from gateway.cli.stack import MORNING, start
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.cli.yard import Yard, database_urls, open_round, running_yard, statement_of
from gateway.stack.backup import before, receive, restore, take
from services.kit.clock import set_clock

FOLDER = Path(".tabian/drill")
LATE = 5
"""Schools that send their roll after the moment to which the stack is put back."""
_AT_ONCE = 8
_APART_SECONDS = 2.0
"""Between what is before the moment and what is after it."""
_REVISIONS = "SELECT school, revision FROM submission"


@click.command(help="ซ้อมกู้คืน · Lose a stack in the middle of a round, put it back, and go on.")
@click.option(
    "--schools", type=click.IntRange(min=20), default=60, show_default=True, help="schools of ESA 6602"
)
@click.option("--keep", is_flag=True, help="leave the stack running afterwards")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, show_default=True)
def drill(schools: int, keep: bool, out: Path) -> None:
    """Write report.md and summary.json; fails where anything is otherwise than it should be."""
    say = plain_lines()
    nation = make_demo_nation(out, esa="6602", schools=schools, seed=2564)
    shutil.rmtree(out / "stack-archive", ignore_errors=True)
    with running_yard("tabian-drill", out / "stack", nation, say, keep=keep) as yard:
        drilled = _Drill(yard, Drilled(len(yard.told.schools))).run()
    write_json(out / "summary.json", asdict(drilled))
    text = markdown(drilled)
    (out / "report.md").write_text(text, encoding="utf-8")
    click.echo(text)
    sys.exit(1 if drilled.faults else 0)


@dataclass
class _Drill:
    yard: Yard
    told: Drilled
    versions: dict[str, str] = field(default_factory=dict)

    def run(self) -> Drilled:
        self._prepare()
        moment, after = self._act()
        had = self._revisions()
        self._lose_and_restore("the end")
        self.told.lost_at_the_end = [str(one) for one in self._lost()]
        self.told.expect("lost when put back to the end", self.told.lost_at_the_end, [])
        self._lose_and_restore("the moment", moment)
        lost = self._lost()
        self.told.lost = [str(one) for one in lost]
        named = Counter((one.school, one.what) for one in lost)
        self.told.expect("named as lost", sorted(named), sorted(after))
        self._repeat(lost, had)
        self.told.closed = measure_close(self.yard)["closed"]
        self.told.expect("counted schools", self.told.closed["schools"], len(self.yard.told.schools))
        return self.told

    def _prepare(self) -> None:
        """Half of the rolls, a copy of the whole, the other half but a few; so a restore needs the copy and the log."""
        yard = self.yard
        open_round(yard)
        receive(yard.stack)
        senders = [school for school in yard.told.schools.values() if school.uploads]
        half = len(senders) // 2
        yard.load(rolls(yard.nation, senders[:half], yard.passes), at_once=_AT_ONCE)
        with self.told.timed("base"):
            base = take(yard.stack)
        yard.say(f"  copied: {base.name}")
        yard.load(rolls(yard.nation, senders[half:-LATE], yard.passes), at_once=_AT_ONCE)
        yard.await_checked()
        yard.settle()
        set_clock(yard.stack.clock, MORNING)
        mend(yard)
        self.versions = ready_versions(yard)
        yard.say(f"  {len(self.versions)} schools are ready to confirm")

    def _act(self) -> tuple[datetime, list[tuple[str, str]]]:
        """Some acts, the moment, and more: who is told what after it, which the second restore will lose."""
        yard, codes = self.yard, sorted(self.versions)
        first, second = codes[: len(codes) // 2], codes[len(codes) // 2 :]
        late = [school for school in yard.told.schools.values() if school.uploads][-LATE:]
        self._send(confirmation(code, self.versions[code], yard.passes) for code in first)
        time.sleep(_APART_SECONDS)
        moment: datetime = yard.databases.ask("intake", "SELECT now()")[0][0]
        self.told.moment = moment.isoformat(timespec="seconds")
        time.sleep(_APART_SECONDS)
        after = [
            *((code, "certify") for code in first),
            *((code, "confirm") for code in second),
            *((school.code, UPLOAD) for school in late),
        ]
        self._send(self._call(*one) for one in after)
        return moment, after  # and at once everything is lost: rolls unchecked, events in the broker

    def _lose_and_restore(self, what: str, until: datetime | None = None) -> None:
        """Everything that the stack's volumes hold is gone; its secrets and the archive are not."""
        stack, say = self.yard.stack, self.yard.say
        say(f"lost with all its volumes; put back to {what}")
        stack.compose("kill")
        stack.compose("--profile", "backup", "down", "--volumes")
        self.told.mib |= _sizes(stack.archive)
        with self.told.timed(f"restore to {what}"):
            restore(stack, before(stack, until), until)
            start(stack, say)
        self.yard = replace(self.yard, databases=ByUrl(database_urls(stack)))
        with self.told.timed(f"settled after {what}"):
            self.yard.await_checked()
            self.yard.settle()

    def _lost(self) -> list[Promise]:
        """The verdict must name the same, and nothing else that is wrong."""
        lost = lost_promises(self.yard.journal.path, self.yard.databases)
        verdict = self.yard.verdict()
        self.told.expect("the checker's list", sorted(verdict.lost), sorted(map(str, lost)))
        self.told.expect("doubled", verdict.doubled, [])
        self.told.expect("unexpected", verdict.unexpected, [])
        return lost

    def _repeat(self, lost: list[Promise], had: dict[str, int]) -> None:
        """Those who are named do it again, in the order in which they did; their revisions go on growing."""
        self._send(self._call(one.school, one.what) for one in sorted(lost, key=lambda one: one.what))
        self.yard.await_checked()
        self.yard.settle()
        self.told.repeated = dict(Counter(one.what for one in lost))
        has = self._revisions()
        fallen = sorted({one.school for one in lost if has[one.school] <= had[one.school]})
        self.told.expect("revisions that did not grow", fallen, [])
        self.told.expect("lost after all was repeated", [str(one) for one in self._lost()], self.told.lost)

    def _send(self, calls: Iterable[Call]) -> None:
        answers = self.yard.load(calls, at_once=_AT_ONCE)
        bad = Counter(answer.status for answer in answers if not answer.good)
        self.told.expect("answers that are not good", dict(bad), {})

    def _call(self, code: str, what: str) -> Call:
        passes = self.yard.passes
        if what == UPLOAD:
            return roll(self.yard.nation, self.yard.told.schools[code], passes)
        if what == "confirm":
            return confirmation(code, self.versions[code], passes)
        return certification(code, self.versions[code], statement_of(self.yard, code), passes)

    def _revisions(self) -> dict[str, int]:
        return {school: revision for school, revision in self.yard.databases.ask("intake", _REVISIONS)}


def _sizes(archive: Path) -> dict[str, float]:
    def mib(pattern: str) -> float:
        return round(sum(file.stat().st_size for file in archive.glob(pattern)) / 2**20, 1)

    return {"base": mib("*/base/*/base.tar.gz"), "log": mib("*/wal/*")}
