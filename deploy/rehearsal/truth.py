"""The truth beside a synthetic nation: what each school's files hold and what a correct system must find in them.

It is written and read here and nowhere else. It describes; making the files is `nation`'s job and judging a system by
them is the scenario's and the tests'. Everything in it is synthetic.

`truth.json` is one JSON document laid out so that it can be written and read as a stream: one school per line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, TextIO

FORMAT = 1

Expect = Literal["accepted", "rejected"]
Purpose = Literal["wrong", "first", "fixed", "final"]
Answer = Literal["fix", "explain", "note"]
Resolution = Literal["removed", "ours", "undecided"]


@dataclass(frozen=True, slots=True)
class Planted:
    """One finding that the system must report for an upload.

    `row` is the row of the file as a person sees it in a spreadsheet (the first line is 1); 0 means the whole roster.
    `then` says what the school does about it: `fix` in its next file, `explain` with a sentence, or nothing (`note`).
    """

    rule: str
    severity: str
    row: int
    field: str | None
    then: Answer


@dataclass(frozen=True, slots=True)
class Upload:
    """One file the school sends; `file` is relative to the nation's folder, `reason` the code of a refusal."""

    file: str
    purpose: Purpose
    expect: Expect
    pupils: int
    reason: str | None = None
    findings: tuple[Planted, ...] = ()

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Self:
        """Rebuild from what `asdict` gave."""
        return cls(**{**raw, "findings": tuple(Planted(**finding) for finding in raw["findings"])})


@dataclass(frozen=True, slots=True)
class SchoolTruth:
    """One school: what it sends, in order, and what its roll is once it has sent everything.

    `counts` maps a grade to (boys, girls) of the last upload. `not_counted` maps a reason (`under-age`,
    `cannot-discharge`, `duplicate-lost`, `duplicate-undecided`) to pupils of that roll; the reasons never overlap, so
    `counted` = `pupils` minus their sum, provided the school is certified.
    """

    code: str
    smis8: str
    esa: str
    form: str
    pupils: int
    counted: int
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    not_counted: dict[str, int] = field(default_factory=dict)
    uploads: tuple[Upload, ...] = ()

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Self:
        """Rebuild from what `asdict` gave."""
        counts = {grade: (boys, girls) for grade, (boys, girls) in raw["counts"].items()}
        return cls(
            **{**raw, "counts": counts, "uploads": tuple(Upload.of(upload) for upload in raw["uploads"])}
        )

    @property
    def last(self) -> Upload:
        """The upload that is the school's roll in the end."""
        return self.uploads[-1]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One pupil on two rolls: really at `true_school`, wrongly also at `false_school`.

    Rows are those of both schools' `first` upload (the `fixed` one has the same rows). `resolution`: `removed` = the
    false school's `final` file leaves the pupil out; `ours` = both schools claim, the area decides for the true one;
    `undecided` = both claim and nobody decides, so neither school counts the pupil.
    """

    true_school: str
    false_school: str
    true_row: int
    false_row: int
    national_id: str
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all schools; `pupils` of the last uploads; `planted`, `notes` and `rules` are findings of `first`
    uploads, counted per row that must be named."""

    schools: int = 0
    pupils: int = 0
    counted: int = 0
    uploads: int = 0
    rejected_files: int = 0
    planted: int = 0
    notes: int = 0
    duplicates: int = 0
    rules: dict[str, int] = field(default_factory=dict)

    def plus(self, school: SchoolTruth) -> Totals:
        """These totals with one more school; findings are counted once per upload `first`, where they are planted."""
        first = [
            finding for upload in school.uploads if upload.purpose == "first" for finding in upload.findings
        ]
        rules = dict(self.rules)
        for finding in first:
            rules[finding.rule] = rules.get(finding.rule, 0) + 1
        notes = sum(finding.severity == "note" for finding in first)
        return replace(
            self,
            schools=self.schools + 1,
            pupils=self.pupils + school.pupils,
            counted=self.counted + school.counted,
            uploads=self.uploads + len(school.uploads),
            rejected_files=self.rejected_files
            + sum(upload.expect == "rejected" for upload in school.uploads),
            planted=self.planted + len(first) - notes,
            notes=self.notes + notes,
            rules=rules,
        )

    def merged(self, other: Totals) -> Totals:
        """The sums over two sets of schools."""
        rules = {
            rule: self.rules.get(rule, 0) + other.rules.get(rule, 0) for rule in {**self.rules, **other.rules}
        }
        sums = {
            key: getattr(self, key) + getattr(other, key)
            for key in Totals.__dataclass_fields__
            if key != "rules"
        }
        return Totals(**sums, rules=rules)

    def with_duplicates(self, duplicates: int) -> Totals:
        """These totals with the number of pupils on two rolls."""
        return replace(self, duplicates=duplicates)


@dataclass(frozen=True, slots=True)
class Truth:
    """The whole truth of one nation, in memory: fit for an ESA or a few; use `outline` or `schools_of` for all of them."""

    round: str
    seed: int
    esa: str
    count_day: str
    schools: dict[str, SchoolTruth]
    duplicates: tuple[Duplicate, ...]
    totals: Totals
    format: int = FORMAT


def dumps(value: SchoolTruth | Duplicate | Totals) -> str:
    """Compact JSON of one part, on one line."""
    return json.dumps(asdict(value), ensure_ascii=False, separators=(",", ":"))


class Writer:
    """Writes `truth.json` school by school, so that a nation never stands in memory as a whole."""

    def __init__(self, out: TextIO, *, round_: str, seed: int, esa: str, count_day: str) -> None:
        """Begin the document on an open text file."""
        self._out = out
        self._separator = ""
        head = {"format": FORMAT, "round": round_, "seed": seed, "esa": esa, "count_day": count_day}
        out.write(json.dumps(head)[:-1] + ', "schools": {\n')

    def school(self, code: str, line: str) -> None:
        """Add one school, already as the line that `dumps` made."""
        self._out.write(f'{self._separator}"{code}": {line}')
        self._separator = ",\n"

    def close(self, duplicates: Iterable[Duplicate], totals: Totals) -> None:
        """End the document with the duplicates and the totals."""
        self._out.write('\n}, "duplicates": [')
        self._out.write(",".join("\n" + dumps(duplicate) for duplicate in duplicates))
        self._out.write('\n], "totals": ' + dumps(totals) + "}\n")


def schools_of(path: Path) -> Iterator[SchoolTruth]:
    """Every school of a `truth.json`, one at a time, in the file's order.

    Raises OSError when the file cannot be read, ValueError when it ends before its schools do.
    """
    with path.open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            if line.startswith("}"):
                return
            if line.strip():
                yield SchoolTruth.of(json.loads(line.rstrip(",\n").split(": ", 1)[1]))
    raise ValueError(f"{path} ends before its schools do")


def load(path: Path) -> Truth:
    """Read a whole `truth.json`.

    Raises OSError when it cannot be read, ValueError when it is of another format.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw["format"] != FORMAT:
        raise ValueError(f"truth of format {raw['format']}, this reads {FORMAT}")
    return Truth(
        **{
            **raw,
            "schools": {code: SchoolTruth.of(school) for code, school in raw["schools"].items()},
            "duplicates": tuple(Duplicate(**duplicate) for duplicate in raw["duplicates"]),
            "totals": Totals(**raw["totals"]),
        }
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """Every school with its files, but not what is to be found in them: what it takes to send the nation's rolls, light
    enough to be held for all of them."""

    schools: dict[str, SchoolTruth]


def areas(schools: Iterable[SchoolTruth]) -> list[str]:
    """The area offices of these schools. The public list has schools that stand under none."""
    return sorted({school.esa for school in schools} - {""})


def outline(path: Path) -> Outline:
    """Read a `truth.json` school by school.

    Raises OSError when it cannot be read, ValueError when it is of another format or none of ours.
    """
    with path.open(encoding="utf-8") as lines:
        head = lines.readline().rstrip("\n")
    if not head.startswith(f'{{"format": {FORMAT}, '):
        raise ValueError(f"not a truth of format {FORMAT}: {head[:40]}")
    try:
        return Outline({school.code: _bare(school) for school in schools_of(path)})
    except (KeyError, TypeError, IndexError) as problem:
        raise ValueError(f"a truth that is broken off or was changed: {problem!r}") from problem


def _bare(school: SchoolTruth) -> SchoolTruth:
    uploads = tuple(replace(upload, findings=()) for upload in school.uploads)
    return replace(school, counts={}, not_counted={}, uploads=uploads)


def save(truth: Truth, path: Path) -> None:
    """Write a whole truth that is in memory (the generator streams with `Writer` instead)."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        writer = Writer(out, round_=truth.round, seed=truth.seed, esa=truth.esa, count_day=truth.count_day)
        for code, school in truth.schools.items():
            writer.school(code, dumps(school))
        writer.close(truth.duplicates, truth.totals)
