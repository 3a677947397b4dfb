"""Reading JSON: students by field key or Thai header, and JSON that is no roster."""

from __future__ import annotations

import json

import pytest

from services.intake.rules.catalogue_refusals import MAX_ROWS, Unreadable
from services.intake.rules.reading import read


def test_json_by_key_or_header() -> None:
    students = [
        {
            "school_code": 66020001,
            "national_id": "1112034563562",
            "grade": "ป.1",
            "room": 1,
            "sex": "ช",
            "ชื่อ": "ก",
        }
        | {"last_name_th": None, "วันเกิด": "05/11/2557", "weight_kg": 21.50, "lacks_lunch": True, "note": "x"},
        {"national_id": "G644200000001", "grade": "อ.2"},
    ]
    for data in (students, {"students": students}):
        readout = read(json.dumps(data).encode(), "application/json", "roster.json")
        assert readout.form == "json"
        assert readout.unknown_headers == ("note",)
        assert readout.frame["_source_row"].to_list() == [1, 2]
        wanted = ("school_code", "room", "first_name_th", "last_name_th", "weight_kg", "lacks_lunch")
        assert readout.frame.select(wanted).rows() == [
            ("66020001", "1", "ก", "", "21.5", "1"),
            ("", "", "", "", "", ""),
        ]


def test_json_without_students() -> None:
    assert read(b'{"students": []}').frame.height == 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 100_000, "not-a-roster"),
        (b'{"students": 1}', "not-a-roster"),
        (b'[{"national_id": [1], "grade": {}, "room": "1"}]', "not-a-roster"),
        (b'[{"national_id": NaN, "grade": "x", "room": "1"}]', "not-a-roster"),
        (b'[{"national_id": "\\ud800", "grade": "x", "room": "1"}]', "not-a-roster"),
        (b'[{"\\ud800": "1", "national_id": "", "grade": "x", "room": "1"}]', "not-a-roster"),
        (b"[1, 2]", "not-a-roster"),
        (b'[{"a": "b"}]', "header-missing"),
        (b'[{"national_id": "1", "grade": "2", "room": "3"}]', "required-column-missing"),
        (json.dumps([{str(n): "x" for n in range(501)}]).encode(), "too-many-columns"),
        (json.dumps([{"grade": "x"}] * (MAX_ROWS + 1)).encode(), "too-many-rows"),
    ],
    ids=lambda value: value[:24].decode() if isinstance(value, bytes) else value,
)
def test_json_that_is_no_roster(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data, "application/json", "x.json")
    assert caught.value.code == code
