"""The bodies of the buildings API, checked: types, lengths, code tables, in words of two languages. Whether an act is
allowed at all is the business of the rules."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates, validates_schema

from services.buildings.rules import USE_STATUS
from services.contracts.roster.codes import table

MOST_ROOMS, MOST_BAHT, MOST_IMPORTED = 999, 10**11, 300
FIRST_YEAR = 2400


def _says(th: str, en: str) -> list[dict[str, str]]:
    return [{"th": th, "en": en}]


_MISSING = _says("ต้องกรอก", "This is required")
_NOT_TEXT = _says("ต้องเป็นข้อความ", "This must be text")
_NOT_WHOLE = _says("ต้องเป็นจำนวนเต็ม", "This must be a whole number")
_NOT_LIST = _says("ต้องเป็นรายการ", "This must be a list")
_WORDS: dict[str, Any] = {"required": _MISSING, "null": _MISSING}


class Strict(Schema):
    """A body in which every member must be known."""

    # marshmallow puts these two into a list itself
    error_messages: dict[str, Any] = {
        "unknown": {"th": "ไม่รู้จักช่องข้อมูลนี้", "en": "There is no such field"},
        "type": {"th": "ต้องเป็น JSON object", "en": "This must be a JSON object"},
    }


@dataclass(frozen=True)
class Between:
    """A number's bounds; the document of the interface reads them here."""

    min: int
    max: int

    def __call__(self, value: int) -> None:
        low, high = self.min, self.max
        if not low <= value <= high:
            raise ValidationError(
                _says(f"ต้องอยู่ระหว่าง {low:,} ถึง {high:,}", f"This must lie between {low:,} and {high:,}")
            )


@dataclass(frozen=True)
class AtMost:
    """How long a list may be; named as marshmallow's own `Length` names it, for the document of the interface."""

    max: int
    min: int = 0
    equal: None = None

    def __call__(self, value: list[Any]) -> None:
        if len(value) > self.max:
            raise ValidationError(
                _says(f"มีได้ไม่เกิน {self.max} รายการ", f"There may be at most {self.max} of them")
            )


class Line(fields.String):
    """One line of text: NFC, trimmed, without control or invisible format characters."""

    def __init__(self, *, shortest: int = 0, longest: int, **more: Any) -> None:
        super().__init__(error_messages={**_WORDS, "invalid": _NOT_TEXT, "invalid_utf8": _NOT_TEXT}, **more)
        self.shortest, self.longest = shortest, longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = unicodedata.normalize("NFC", str(super()._deserialize(value, attr, data, **kwargs))).strip()
        if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} for character in text):
            raise ValidationError(_says("มีอักขระที่มองไม่เห็น", "There are invisible characters in it"))
        if not self.shortest <= len(text) <= self.longest:
            raise ValidationError(
                _says(
                    f"ต้องยาว {self.shortest} ถึง {self.longest} ตัวอักษร",
                    f"This must have {self.shortest} to {self.longest} characters",
                )
            )
        return text


def _whole(low: int, high: int, **more: Any) -> fields.Integer:
    return Whole(validate=Between(low, high), error_messages={**_WORDS, "invalid": _NOT_WHOLE}, **more)


class Whole(fields.Integer):
    """A JSON integer: neither text, nor true, nor 3.0."""

    def _validated(self, value: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Label(Line):
    """A label of a code table; its aliases are understood and stored as the label. Blank where not required."""

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(longest=100, **more)
        self.table = name

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        label = table(self.table).label(text)
        if not text and not self.required:
            return ""
        if label is None:
            allowed = ", ".join(table(self.table).labels)
            raise ValidationError(_says(f"ต้องเป็นค่าใดค่าหนึ่งใน: {allowed}", f"This must be one of: {allowed}"))
        return label


class BuildingType(Line):
    """A code of the table of building types."""

    table = "building_type"

    def __init__(self) -> None:
        super().__init__(longest=2, required=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        code = super()._deserialize(value, attr, data, **kwargs)
        known = {value.code: value.label for value in table(self.table).values}
        if code not in known:
            allowed = ", ".join(f"{number} {label}" for number, label in known.items())
            raise ValidationError(
                _says(f"ไม่มีรหัสประเภทนี้ มี: {allowed}", f"There is no such type code. There are: {allowed}")
            )
        return code


class RecordSchema(Strict):
    """One building or structure. `partial=True` for a change. A year of the common era typed by mistake lies before
    FIRST_YEAR; one after the round is refused by the rules."""

    type = BuildingType()
    design = Line(longest=200, load_default="")
    rooms_design = _whole(0, MOST_ROOMS, allow_none=True, load_default=None)
    rooms_actual = _whole(0, MOST_ROOMS, load_default=0)
    rooms_special = _whole(0, MOST_ROOMS, load_default=0)
    year_built_be = _whole(FIRST_YEAR, 2700, required=True)
    cost_baht = _whole(0, MOST_BAHT, allow_none=True, load_default=None)
    budget_source = Label("building_budget_source", load_default="")
    condition = Label("building_condition", required=True)

    @validates_schema
    def changes_something(self, data: dict[str, Any], **_: Any) -> None:
        if self.partial and not data:
            raise ValidationError(_says("ไม่มีช่องข้อมูลที่จะแก้ไข", "There is nothing to change in it"))


class CarrySchema(Strict):
    """Carry forward last year's records, or, in the first round, a list of them."""

    buildings = fields.List(
        fields.Nested(RecordSchema),
        error_messages={**_WORDS, "invalid": _NOT_LIST},
        validate=AtMost(MOST_IMPORTED),
    )


class RetirementSchema(Strict):
    """One step towards demolition or back; `document` names the letter or gives the reason."""

    to = Line(longest=40, required=True, metadata={"enum": list(USE_STATUS)})
    document = Line(shortest=3, longest=300, required=True)

    @validates("to")
    def is_a_status(self, value: str, **_: Any) -> None:
        if value not in USE_STATUS:
            allowed = ", ".join(USE_STATUS)
            raise ValidationError(_says(f"ต้องเป็นค่าใดค่าหนึ่งใน: {allowed}", f"This must be one of: {allowed}"))


class NothingSchema(Strict):
    """An act without a body."""
