"""What HTTP bodies of snapshot look like; every message in Thai and English."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

_REQUIRED: dict[str, Any] = {"required": "ต้องระบุ / required"}
_ROUND = validate.Length(min=1, max=20, error="1-20 ตัวอักษร / 1 to 20 characters")
_CODE = validate.Regexp(r"[0-9]{10}\Z", error="รหัสโรงเรียน 10 หลัก / a 10-digit school code")
_TIME: dict[str, Any] = {
    "invalid": "เวลาแบบ ISO 8601 / a time in ISO 8601",
    "invalid_awareness": "เวลาต้องมีเขตเวลา เช่น +07:00 / a time with its zone, as +07:00",
}


class Opening(Schema):
    """Which round of the calendar is opened."""

    round = fields.String(required=True, validate=_ROUND, error_messages=_REQUIRED)


class Prolongation(Schema):
    """More time for one activity, for named schools."""

    activity = fields.String(required=True, validate=_ROUND, error_messages=_REQUIRED)
    schools = fields.List(
        fields.String(validate=_CODE),
        required=True,
        validate=validate.Length(min=1, max=2000, error="1-2000 โรงเรียน / 1 to 2000 schools"),
        error_messages=_REQUIRED,
    )
    until = fields.AwareDateTime(required=True, format="iso", error_messages={**_REQUIRED, **_TIME})


class Nothing(Schema):
    """A request without a body of its own."""
