"""marshmallow fields for the kinds of value a roll has: each brings a text into its one spelling and judges it.

What breaks a rule is kept as it was typed: a roll is stored with its faults, for the school to see.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from marshmallow import ValidationError, fields

from services.contracts.roster.codes import table
from services.contracts.roster.dates import iso_date
from services.contracts.roster.fields import Field
from services.contracts.roster.identity import id_fault, normalise_id
from services.contracts.roster.normalise import plain_number

INT = re.compile(r"(?:[0-9]{1,9})?")
DECIMAL = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,17})?)?")
ROOM = re.compile(r"[1-9][0-9]{0,3}")
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00-\x08\x0e-\x1f]"
)
_DASHES = re.compile("-+")
_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")


def cleaned(text: str) -> str:
    """Without invisible marks and idle blanks, its letters composed one way."""
    if text.isalnum() and text.isascii():
        return text
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))


class Text(fields.Field[str]):
    """Any text; `required` is the rule that a blank breaks."""

    def __init__(self, required: str = "") -> None:
        super().__init__(load_default="")
        self.blank = required

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = self.spelt(cleaned(value)) if value else ""
        rule = self.fault(text) if text else self.blank
        if rule:
            raise ValidationError(rule, valid_data=text)  # type: ignore[arg-type]
        return text

    def spelt(self, text: str) -> str:
        return text

    def fault(self, text: str) -> str:  # noqa: ARG002 - a text is never wrong
        """The rule that the text breaks, or nothing."""
        return ""


class Identity(Text):
    """A personal number; `judged` where it is the pupil's own."""

    def __init__(self, *, judged: bool) -> None:
        super().__init__("national-id-missing" if judged else "")
        self.judged = judged

    def spelt(self, text: str) -> str:
        return normalise_id(_DASHES.sub("", text) if _DASHES.fullmatch(text) else text.translate(_DIGITS))

    def fault(self, text: str) -> str:
        found = id_fault(text) if self.judged else None
        return f"national-id-{found}" if found else ""

    def _deserialize(self, value: Any, *more: Any, **named: Any) -> str:
        # a number of dashes alone is a blank one, which only shows when it is spelt
        text = super()._deserialize(value, *more, **named)
        if not text and self.blank:
            raise ValidationError(self.blank)
        return text


class Code(Text):
    """A label of a code table."""

    def __init__(self, name: str, *, unknown: str = "code-unknown", required: str = "") -> None:
        super().__init__(required)
        self.table, self.unknown = table(name), unknown

    def spelt(self, text: str) -> str:
        return text if text in self.table.labels else self.table.label(text.translate(_DIGITS)) or text

    def fault(self, text: str) -> str:
        return "" if text in self.table.labels else self.unknown


class Number(Text):
    """A number that is not negative, in one of the shapes."""

    def __init__(self, shape: re.Pattern[str], *, rule: str = "number-invalid", required: str = "") -> None:
        super().__init__(required)
        self.shape, self.rule = shape, rule

    def spelt(self, text: str) -> str:
        return "" if _DASHES.fullmatch(text) else plain_number(text.translate(_DIGITS))

    def fault(self, text: str) -> str:
        return "" if self.shape.fullmatch(text) else self.rule


class Date(Text):
    """A date of either era, as ISO text; whether it can be a birthday is the schema's question."""

    def spelt(self, text: str) -> str:
        return iso_date(text)


def value_of(field: Field) -> Text:
    """The marshmallow field for a field of the roll."""
    special: dict[str, Text] = {
        "national_id": Identity(judged=True),
        "grade": Code("grade", unknown="grade-unknown", required="grade-unknown"),
        "room": Number(ROOM, rule="room-invalid", required="room-invalid"),
        "sex": Code("sex", required="sex-missing"),
        "first_name_th": Text("name-missing"),
        "last_name_th": Text("name-missing"),
    }
    if field.key in special:
        return special[field.key]
    if field.kind in ("code", "flag"):
        return Code(field.table or "")
    if field.kind in ("int", "decimal"):
        return Number(INT if field.kind == "int" else DECIMAL)
    if field.kind == "date":
        return Date()
    return Identity(judged=False) if field.kind == "id" else Text()
