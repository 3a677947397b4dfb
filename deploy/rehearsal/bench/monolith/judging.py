"""A roll's rows through the schema, one by one, and what they break, with the rules that compare the rows of one roll."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import ValidationError

from deploy.rehearsal.bench.monolith.reading import Row
from deploy.rehearsal.bench.monolith.schema import Place, PupilSchema

_SHAPED = re.compile(r"[0-9]{13}|G[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Judged:
    """The pupils as they are stored, each with its row in the file, and (row, rule, field) of what they break."""

    pupils: list[tuple[int, Row]]
    findings: list[tuple[int, str, str]]


def judged(rows: Sequence[tuple[int, Row]], place: Place) -> Judged:
    """The rows of a roll by the rules of `place`."""
    schema = PupilSchema(place)
    result = Judged([], [] if rows else [(0, "no-pupils", "")])
    for number, row in rows:
        try:
            pupil = schema.load(row)
        except ValidationError as broken:
            pupil = broken.valid_data
            result.findings.extend(
                (number, rule, field)
                for field, rules in broken.normalized_messages().items()
                for rule in rules
            )
        result.pupils.append((number, pupil))
    for field in ("national_id", "student_code"):
        result.findings.extend(_repeated(result.pupils, field))
    return result


def shaped(text: str) -> bool:
    """Whether a number can be anybody's."""
    return _SHAPED.fullmatch(text) is not None


def _repeated(pupils: Sequence[tuple[int, Row]], field: str) -> list[tuple[int, str, str]]:
    counted = Counter(pupil.get(field, "") for _, pupil in pupils)
    again = {text for text, count in counted.items() if count > 1 and text}
    if field == "national_id":
        again = {text for text in again if shaped(text)}
    rule = field.replace("_", "-") + "-repeated"
    return [(number, rule, field) for number, pupil in pupils if pupil.get(field, "") in again]
