"""What HTTP bodies of intake look like. The schema of a single pupil's edit is made from the roster's field table,
so that it and the vectorised rules speak of the same fields."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.contracts.roster.fields import STORED

_SENTENCE = validate.Length(min=5, max=500, error="5-500 ตัวอักษร / 5 to 500 characters")


class Explanation(Schema):
    """Why a warning is right as it stands. `key`: the pupil's, or "" for the roster as a whole."""

    rule = fields.String(required=True)
    key = fields.String(load_default="", validate=validate.Length(max=64))
    sentence = fields.String(required=True, validate=_SENTENCE)


class Certification(Schema):
    """`statement`: the text the director saw and agreed to."""

    statement = fields.String(required=True, validate=validate.Length(min=20, max=2000))


class Cancellation(Schema):
    """`lock`: keep the school from confirming again until headquarters unlocks it."""

    reason = fields.String(required=True, validate=_SENTENCE)
    lock = fields.Boolean(load_default=False)


class Nothing(Schema):
    """An act without a body of its own."""


PupilEdit: type[Schema] = Schema.from_dict(
    {
        field.key: fields.String(validate=validate.Length(max=200), metadata={"th": field.th, "en": field.en})
        for field in STORED
        if field.key != "school_code"
    },
    name="PupilEdit",
)
"""New values of one pupil by field key; all optional, at least one wanted. The school code is the school's own."""
