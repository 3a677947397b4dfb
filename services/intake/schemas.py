"""What HTTP bodies of intake look like. The schema of a single pupil's edit is made from the roster's field table,
so that it and the vectorised rules speak of the same fields."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from services.contracts.roster.fields import STORED
from services.intake.rules.acts import STATEMENT_EN, STATEMENT_TH

_SENTENCE = validate.Length(min=5, max=500, error="5-500 ตัวอักษร / 5 to 500 characters")

_STATEMENT = validate.OneOf(
    (STATEMENT_TH, STATEMENT_EN),
    error="ต้องเป็นข้อความรับรองที่แสดง / This must be the statement shown",
)


class Text(fields.String):
    """Text that the database, a receipt and a roster can hold: no NUL, no half of a surrogate pair."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text):
            raise ValidationError("มีอักขระที่จัดเก็บไม่ได้ / There are characters in it that cannot be stored")
        return text


class Explanation(Schema):
    """Why a warning is right as it stands. `key`: the pupil's, or "" for the roster as a whole."""

    rule = Text(required=True)
    key = Text(load_default="", validate=validate.Length(max=64))
    sentence = Text(required=True, validate=_SENTENCE)


class Certification(Schema):
    """`statement`: the text the director saw and agreed to, in either language; a receipt never holds another."""

    statement = Text(required=True, validate=_STATEMENT)


class Cancellation(Schema):
    """`lock`: keep the school from confirming again until headquarters unlocks it."""

    reason = Text(required=True, validate=_SENTENCE)
    lock = fields.Boolean(load_default=False)


class Nothing(Schema):
    """An act without a body of its own."""


PupilEdit: type[Schema] = Schema.from_dict(
    {
        field.key: Text(validate=validate.Length(max=200), metadata={"th": field.th, "en": field.en})
        for field in STORED
        if field.key != "school_code"
    },
    name="PupilEdit",
)
"""New values of one pupil by field key; all optional, at least one wanted. The school code is the school's own."""
