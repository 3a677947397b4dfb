"""The yardsticks run beside a bench's stack, on its own PostgreSQL and RabbitMQ, when the stack has nothing left to do; what
they hold is compared with what Tabian holds before their times are.

Not here: how each of them works (deploy/rehearsal/bench, relay_yard, package_yard).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from deploy.rabbitmq.definitions import DECLARE
from deploy.rehearsal.bench.copying import Copied, copied
from deploy.rehearsal.bench.copying_out import CopiedOut
from deploy.rehearsal.bench.monolith.running import Monolith, Roll, Year, monolith
from deploy.rehearsal.scenario import ROUND
from gateway.cli.bench.bare import BareAct, bare_act
from gateway.cli.bench.package_yard import sealed_pupils_copied
from gateway.cli.bench.relay_yard import Relayed, relayed
from gateway.cli.yard import Yard, inner_address, superuser
from gateway.stack.compose import docker
from services.contracts.calendar import RoundPlan
from services.contracts.roster import canonical

COPIED_ROLLS, MONOLITH_ROLLS, EVENTS = 1500, 150, 3000
"""As much of the load as each is given: enough to be steady, and soon over."""
VIRTUAL_HOST = "yardstick"
PUPILS = "students.csv"
"""The package's file of pupils."""


class Unlike(RuntimeError):
    """A yardstick holds something else than Tabian does, so that its time says nothing."""


def measure_yardsticks(yard: Yard, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Every yardstick's figures, and Tabian's as multiples of them. `ours`: what was measured of Tabian in this run. Raises
    Unlike where the outputs differ."""
    schools = _schools(yard)
    copies = _copies(yard, schools[:COPIED_ROLLS])
    other = _monolith(yard, schools[:MONOLITH_ROLLS])
    relays = _relays(yard)
    out = _copies_out(yard, ours["package"][PUPILS])
    yard.say(f"  yardsticks: {copies}, {other}, {relays}, {out}")
    bare = bare_act(yard)
    return {
        **ratios(ours, copies, other, relays, out),
        "acts_vs_bare": acts_vs_bare(ours["acts_knee_per_s"], bare),
        "yardsticks": {
            "copy": _rounded(asdict(copies)),
            "monolith": _rounded(asdict(other)),
            "relay": _rounded(asdict(relays)),
            "copy_to": asdict(out),
            "bare_act": asdict(bare),
        },
    }


def ratios(
    ours: Mapping[str, Any], copies: Copied, other: Monolith, relays: Relayed, out: CopiedOut
) -> dict[str, float]:
    """Tabian's figures as multiples of the yardsticks'."""
    students_per_s = ours["intake_students_per_s"]
    return {
        "intake_vs_monolith": round(students_per_s / other.students_per_s, 2),
        "intake_vs_copy": round(students_per_s / copies.together_per_s, 3),
        "intake_vs_copy_per_roster": round(students_per_s / copies.per_roster_per_s, 3),
        "relay_vs_confirm_each": round(relays.relay_per_s / relays.confirm_each_per_s, 2),
        "export_vs_copy_to": round(ours["package_s"] / out.seconds, 2),
    }


def acts_vs_bare(acts_knee_per_s: float, bare: BareAct) -> float | None:
    """Tabian's knee as a multiple of the bare act's; None on a machine too busy for any bare act."""
    return round(acts_knee_per_s / bare.knee_per_s, 3) if bare.knee_per_s else None


def _schools(yard: Yard) -> list[str]:
    """Every school that sent one roll, which could be read, spread over the country: the first so many are a fair part. Who
    sent another when nobody else did anything has in it what is in no file of the nation."""
    sent = "(SELECT count(*) FROM upload WHERE (upload.round, upload.school) = (submission.round, submission.school))"
    found = yard.databases.ask(
        "intake",
        f"SELECT school FROM submission WHERE round = '{ROUND}' AND sha256 <> '' AND {sent} = 1 ORDER BY md5(school)",
    )
    return [school for (school,) in found]


def _copies(yard: Yard, schools: Sequence[str]) -> Copied:
    found = _of(yard, "body", "submission JOIN document USING (sha256)", schools)
    return copied(superuser(yard.stack), (canonical.unpack(bytes(body)) for (body,) in found))


def _monolith(yard: Yard, schools: Sequence[str]) -> Monolith:
    joined = "submission JOIN upload ON upload.id = submission.upload"
    files = _of(yard, "submission.school, upload.content", joined, schools)
    rolls = [_roll(yard, school, content) for school, content in files]
    (given,) = yard.databases.ask("intake", f"SELECT plan FROM round WHERE name = '{ROUND}'")[0]
    plan = RoundPlan.from_plain(given)
    year = Year(plan.count_day, plan.academic_year)
    measured = monolith(superuser(yard.stack), rolls, year, os.cpu_count() or 1)
    rules = f"{joined}, jsonb_array_elements(findings) AS f"
    ours = {
        rule: number for rule, number in _of(yard, "f ->> 'rule', count(*)", rules, schools, "GROUP BY 1")
    }
    pupils = sum(number for (number,) in _of(yard, "submission.pupils", joined, schools))
    if (measured.findings, measured.pupils) != (ours, pupils):
        raise Unlike(f"the monolith: {measured.pupils} pupils, {measured.findings}; Tabian: {pupils}, {ours}")
    return measured


def _roll(yard: Yard, school: str, content: bytes) -> Roll:
    """The file that Tabian holds of the school: who waited alone sent another one than the nation has."""
    return Roll(school, yard.told.schools[school].smis8, canonical.unpack(bytes(content)))


def _of(yard: Yard, what: str, where: str, schools: Sequence[str], more: str = "") -> Sequence[Sequence[Any]]:
    """What intake's database holds of these schools' submissions."""
    names = ", ".join(f"'{school}'" for school in schools)
    asked = f"SELECT {what} FROM {where} WHERE submission.round = '{ROUND}' AND submission.school IN ({names}) {more}"
    return yard.databases.ask("intake", asked)


def _relays(yard: Yard) -> Relayed:
    with _virtual_host(yard) as broker:
        server = superuser(yard.stack)
        intake = superuser(yard.stack, "tabian_intake")
        return relayed(server, intake, broker, yard.stack.secrets, most=EVENTS)


def _copies_out(yard: Yard, package: Mapping[str, Any]) -> CopiedOut:
    """`package`: its file of pupils, as the API lists it."""
    copied = sealed_pupils_copied(superuser(yard.stack), superuser(yard.stack, "tabian_snapshot"))
    if any(package[name] != getattr(copied, name) for name in ("rows", "bytes", "sha256")):
        raise Unlike(f"COPY wrote {copied}; the package has {package}")
    return copied


@contextmanager
def _virtual_host(yard: Yard) -> Iterator[str]:
    """A virtual host of the stack's broker that nobody else uses, as an URL; removed afterwards."""
    (container,) = yard.stack.running("rabbitmq")

    def control(*words: str) -> None:
        docker("exec", container.id, "rabbitmqctl", "-q", *words)

    control("add_vhost", VIRTUAL_HOST)
    try:
        control("set_permissions", "-p", VIRTUAL_HOST, DECLARE, ".*", ".*", ".*")
        word = (yard.stack.secrets / f"{DECLARE}.broker-password").read_text(encoding="utf-8").strip()
        yield f"amqp://{DECLARE}:{word}@{inner_address(yard.stack, 'rabbitmq')}:5672/{VIRTUAL_HOST}"
    finally:
        control("delete_vhost", VIRTUAL_HOST)


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value) if isinstance(value, float) else value for name, value in figures.items()}
