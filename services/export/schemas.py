"""The bodies of the export API: asking for a package needs none."""

from __future__ import annotations

from marshmallow import Schema


class NothingSchema(Schema):
    """An act without a body."""

    error_messages = {"unknown": {"th": "ไม่รู้จักช่องข้อมูลนี้", "en": "There is no such field"}}  # type: ignore[dict-item]
