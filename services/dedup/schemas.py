"""The bodies and query strings of dedup's API, checked, in words of two languages; and a case as it is shown."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa
from marshmallow import RAISE, Schema, ValidationError, fields

from services.contracts.calendar import BANGKOK
from services.dedup.rules.standing import NEITHER, STATES

SENTENCE_LENGTH = (5, 500)
PAGE, MOST = 50, 200
_LARGEST_NUMBER = 2**63 - 1


def _says(th: str, en: str) -> list[dict[str, str]]:
    return [{"th": th, "en": en}]


_MISSING = _says("ต้องกรอก", "This is required")
_NOT_TEXT = _says("ต้องเป็นข้อความ", "This must be text")
_NOT_WHOLE = _says("ต้องเป็นจำนวนเต็ม", "This must be a whole number")
_WORDS: dict[str, Any] = {
    "required": _MISSING,
    "null": _MISSING,
    "invalid": _NOT_TEXT,
    "invalid_utf8": _NOT_TEXT,
}


class Strict(Schema):
    """A body in which every member must be known."""

    class Meta:
        unknown = RAISE

    # marshmallow puts these two into a list itself
    error_messages: dict[str, Any] = {
        "unknown": {"th": "ไม่รู้จักช่องข้อมูลนี้", "en": "There is no such field"},
        "type": {"th": "ต้องเป็น JSON object", "en": "This must be a JSON object"},
    }


class Sentence(fields.String):
    """What a person writes: NFC, line breaks as blanks, trimmed, 5 to 500 characters, none of them invisible."""

    def __init__(self) -> None:
        super().__init__(required=True, error_messages=_WORDS)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        typed = str(super()._deserialize(value, attr, data, **kwargs))
        text = " ".join(unicodedata.normalize("NFC", typed).split())
        if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in text):
            raise ValidationError(_says("มีอักขระที่มองไม่เห็น", "There are invisible characters in it"))
        shortest, longest = SENTENCE_LENGTH
        if not shortest <= len(text) <= longest:
            raise ValidationError(
                _says(
                    f"ต้องยาว {shortest} ถึง {longest} ตัวอักษร",
                    f"This must have {shortest} to {longest} characters",
                )
            )
        return text


class Code(fields.String):
    """A school's or an area's code: up to ten digits."""

    def __init__(self, *, also: tuple[str, ...] = (), **more: Any) -> None:
        super().__init__(error_messages=_WORDS, **more)
        self.also = also

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if text not in self.also and not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise ValidationError(
                _says("ต้องเป็นรหัสตัวเลขไม่เกิน 10 หลัก", "This must be a code of up to 10 digits")
            )
        return text


class Whole(fields.Integer):
    """A whole number in a query string, between two bounds."""

    def __init__(self, low: int, high: int, **more: Any) -> None:
        super().__init__(error_messages={**_WORDS, "invalid": _NOT_WHOLE}, **more)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = super()._deserialize(value, attr, data, **kwargs)
        if number is None or not self.low <= number <= self.high:
            raise ValidationError(
                _says(
                    f"ต้องอยู่ระหว่าง {self.low} ถึง {self.high}",
                    f"This must lie between {self.low} and {self.high}",
                )
            )
        return number


def _known_state(value: str) -> None:
    if value not in STATES:
        allowed = ", ".join(STATES)
        raise ValidationError(_says(f"ต้องเป็นค่าใดค่าหนึ่งใน: {allowed}", f"This must be one of: {allowed}"))


class EvidenceSchema(Strict):
    """POST …/evidence"""

    school = Code(required=True)
    sentence = Sentence()


class DecisionSchema(Strict):
    """POST …/decision; `belongs_to` is a party's code or "neither"."""

    belongs_to = Code(required=True, also=(NEITHER,))
    reason = Sentence()


class ListSchema(Strict):
    """The query of a list; `cursor` is the `next` of the page before."""

    school = Code(load_default="")
    esa = Code(load_default="")
    state = fields.String(
        load_default="", validate=_known_state, error_messages=_WORDS, metadata={"enum": list(STATES)}
    )
    cursor = Whole(0, _LARGEST_NUMBER, load_default=0)
    limit = Whole(1, MOST, load_default=PAGE)


def case_view(row: sa.Row[Any]) -> dict[str, Any]:
    """A case as people see it: schools, line numbers and what was said; never a pupil's name."""
    shown = ("school", "name", "esa", "line", "answer", "sentence")
    return {
        "case": row.case,
        "round": row.round,
        "state": row.state,
        "decision": row.decision,
        "opened_at": row.opened_at.astimezone(BANGKOK).isoformat(),
        "revision": row.revision,
        "parties": [{name: party[name] for name in shown} for party in row.parties],
    }
