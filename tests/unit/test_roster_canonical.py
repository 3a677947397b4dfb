"""The canonical document: bytes depend on content alone, come back as they were, and survive hostile text."""

from __future__ import annotations

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.roster.canonical import (
    COLUMNS,
    MAX_UNPACKED,
    NotCanonical,
    canonicalise,
    canonicalise_many,
    decode,
    decode_columns,
    decode_many,
    digest,
    empty,
    encode,
    encode_many,
    pack,
    select_many,
    unpack,
    with_values,
    without_line,
)
from services.contracts.roster.dates import iso_date
from services.contracts.roster.normalise import clean

_SCHEMA = dict.fromkeys(COLUMNS, pl.String)
_TYPICAL = st.sampled_from(
    [
        "",
        "-",
        "ป1",
        "ป.1",
        "อบ.1",
        "ชาย",
        "ญ",
        "02",
        "1.50",
        ".5",
        "1,200",
        "๑๒",
        "05/11/2553",
        "1-1120-34563-56-2",
        "ด.ช.",
    ]
)
_HOSTILE = st.one_of(
    _TYPICAL,
    st.text(max_size=8),
    st.text(
        '",\n\r\t\x00\x0b\x85\u00a0\u200b\u200f\u202e\ufeff\u0e4d\u0e48\u0e32\u0e33\u0e40\u0e38\u0e3a\u0301eก =+@#',
        max_size=8,
    ),
)
_ROW = st.dictionaries(st.sampled_from(COLUMNS), _HOSTILE, max_size=6)
_ROWS = st.lists(_ROW, max_size=5)

PINNED = pl.DataFrame(
    {
        "school_code": ["66020001", "66020001"],
        "national_id": ["1-1120-34563-56-2", "G644200000001"],
        "grade": ["ประถมศึกษาปีที่ 1", "อบ.2"],
        "room": ["๑", "01"],
        "student_code": ["1001", "1002"],
        "sex": ["ชาย", "ญ"],
        "title": ["ด.ช.", "เด็กหญิง"],
        "first_name_th": [" สมชาย ", "น\u0e4d\u0e49\u0e32ฝน"],
        "last_name_th": ['ใจ"ดี', "รัก,เรียน"],
        "birth_date": ["05/11/2557", "๑ มี.ค. ๒๕๕๙"],
        "weight_kg": ["21.50", "18"],
        "lacks_lunch": ["ไม่", "ใช่"],
    }
)
PINNED_SHA = "6a74b6773d98a72efaab179fb6b6767037c8f610418fd7cf2e09002b67a32ddf"


def _frame(rows: list[dict[str, str]]) -> pl.DataFrame:
    return pl.DataFrame([{key: row.get(key, "") for key in COLUMNS} for row in rows], schema=_SCHEMA)


@given(_ROWS)
def test_what_is_written_is_read_back(rows: list[dict[str, str]]) -> None:
    roster = canonicalise(_frame(rows))
    assert decode(encode(roster)).equals(roster)


@given(_ROWS)
def test_canonicalising_twice_changes_nothing(rows: list[dict[str, str]]) -> None:
    data = encode(canonicalise(_frame(rows)))
    assert encode(canonicalise(decode(data))) == data


@given(_ROWS, st.randoms())
def test_the_order_of_rows_and_columns_does_not_matter(rows: list[dict[str, str]], random) -> None:  # type: ignore[no-untyped-def]
    frame = _frame(rows)
    shuffled, columns = list(rows), list(COLUMNS)
    random.shuffle(shuffled)
    random.shuffle(columns)
    assert encode(canonicalise(_frame(shuffled).select(columns))) == encode(canonicalise(frame))


@settings(deadline=None)
@given(st.lists(_ROWS, max_size=5))
def test_many_in_one_pass_are_the_same_as_one_by_one(rosters: list[list[dict[str, str]]]) -> None:
    frames = [_frame(rows) for rows in rosters]
    bodies = encode_many(canonicalise_many(frames))
    assert bodies == [encode(canonicalise(frame)) for frame in frames]
    some = ["grade", "birth_date", "cannot_discharge_yet"]
    for read, picked, body in zip(decode_many(bodies), decode_columns(bodies, some), bodies, strict=True):
        assert read.equals(decode(body))
        assert picked.equals(decode(body).select(some))


def test_a_cell_with_a_line_break_is_written_in_its_own_roster_only() -> None:
    plain = canonicalise(PINNED)
    broken = plain.with_columns(pl.lit("a\nb").alias("last_name_th"))
    assert encode_many([plain, broken, empty()]) == [encode(plain), encode(broken), encode(empty())]


@given(_ROWS)
def test_bytes_are_plain_csv(rows: list[dict[str, str]]) -> None:
    text = encode(canonicalise(_frame(rows))).decode()
    assert text.count("\n") == len(rows) + 1
    assert text.startswith(",".join(COLUMNS) + "\n")
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    assert "\u200b" not in text
    assert "\ufeff" not in text


@given(st.text())
def test_clean_text_is_clean(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    frame = canonicalise(pl.DataFrame({"first_name_th": [text]}))
    assert frame["first_name_th"].to_list() == [cleaned]


def test_the_hash_of_a_known_roster_never_changes() -> None:
    assert digest(encode(canonicalise(PINNED))) == PINNED_SHA


def test_values_are_spelt_one_way() -> None:
    roster = canonicalise(PINNED)
    wanted = (
        "national_id",
        "grade",
        "room",
        "sex",
        "title",
        "first_name_th",
        "birth_date",
        "weight_kg",
        "lacks_lunch",
    )
    assert roster.select(wanted).rows() == [
        ("G644200000001", "อ.2", "1", "ญ", "เด็กหญิง", "น้ำฝน", "2016-03-01", "18", "1"),
        ("1112034563562", "ป.1", "1", "ช", "เด็กชาย", "สมชาย", "2014-11-05", "21.5", "0"),
    ]


def test_what_cannot_be_understood_stays_as_typed() -> None:
    odd = {
        "national_id": "1.1E+12",
        "grade": "อนุบาล 1",
        "room": "๑/๒",
        "birth_date": "31/02/2553",
        "weight_kg": "20 กก.",
    }
    roster = canonicalise(pl.DataFrame([odd]))
    assert roster.select(odd.keys()).row(0) == ("1.1E+12", "อนุบาล 1", "1/2", "31/02/2553", "20 กก.")


def test_rows_go_by_grade_room_and_code() -> None:
    frame = pl.DataFrame(
        {
            "grade": ["ป.1", "ป.1", "อ.3", "ม.1", "??", "ป.1"],
            "room": ["10", "2", "1", "1", "1", "2"],
            "student_code": ["a", "b", "c", "d", "e", "a"],
            "_source_row": [6, 7, 8, 9, 10, 11],
        }
    )
    assert canonicalise(frame)["_source_row"].to_list() == [8, 11, 7, 6, 9, 10]


def test_blank_is_nothing_and_only_needed_quotes_are_written() -> None:
    roster = canonicalise(
        pl.DataFrame({"first_name_th": ['a "b"', "c,d", "e f", "#"], "student_code": list("1234")})
    )
    lines = encode(roster).decode().split("\n")
    at = COLUMNS.index("first_name_th")
    start = "," * (COLUMNS.index("student_code")) + "1" + "," * (at - COLUMNS.index("student_code"))
    assert lines[1].startswith(start + '"a ""b""",')
    assert [line.count('"') for line in lines] == [0, 6, 2, 0, 0, 0]


def test_a_school_without_pupils_is_a_header() -> None:
    data = encode(canonicalise(empty()))
    assert data == encode(empty()) == ",".join(COLUMNS).encode() + b"\n"
    assert decode(data).equals(empty())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data[:-1],
        lambda data: data + b"x\n",
        lambda data: data + b"\n",
        lambda data: data.replace("เด็กชาย".encode(), '"เด็กชาย"'.encode()),
        lambda data: data.replace("เด็กชาย".encode(), "เด็กชาย".encode("cp874")),
        lambda data: data.replace(b",1,", b',1",', 1),
        lambda data: data.replace(b"\n", b",extra\n"),
        lambda data: data[:0],
        lambda data: bytes(len(data)),
    ],
    ids=[
        "bom",
        "crlf",
        "no-end",
        "short-row",
        "blank-line",
        "idle-quotes",
        "cp874",
        "quoted-number",
        "more-columns",
        "empty",
        "nul",
    ],
)
def test_other_bytes_are_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    data = encode(canonicalise(PINNED))
    assert decode(data).height == 2
    with pytest.raises(NotCanonical) as refused:
        decode(spoil(data))
    assert "1112034563562" not in str(refused.value)
    assert refused.value.__cause__ is None
    with pytest.raises(NotCanonical):
        decode_many([data, spoil(data), data])
    with pytest.raises(NotCanonical):
        decode_columns([data, spoil(data), data], ["grade"])


NEEDED = ("first_name_th", "grade", "next_step", "school_code")


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROWS, max_size=4))
def test_some_columns_of_many_documents_are_those_of_each(rolls: list[list[dict[str, str]]]) -> None:
    bodies = [encode(canonicalise(pl.DataFrame(rows) if rows else empty())) for rows in rolls]
    whole = pl.concat([empty(), *map(decode, bodies)]).select(NEEDED)
    assert select_many(bodies, NEEDED).with_columns(pl.all().fill_null("")).equals(whole)


def test_columns_of_what_is_no_table_of_them_are_refused_without_a_value() -> None:
    data = encode(canonicalise(PINNED))
    for wrong in (b"\xef\xbb\xbf" + data, b"", bytes(9), data.replace(b",1,", b',"1,', 1)):
        with pytest.raises(NotCanonical) as refused:
            select_many([data, wrong], NEEDED)
        assert "1112034563562" not in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROWS, max_size=4))
def test_some_columns_are_written_and_read_again_as_they_were(rolls: list[list[dict[str, str]]]) -> None:
    frames = [canonicalise(pl.DataFrame(rows) if rows else empty()) for rows in rolls]
    written = encode_many(frames, NEEDED)
    assert written == [encode(frame.select(NEEDED), NEEDED) for frame in frames]
    whole = pl.concat([empty(), *frames]).select(NEEDED)
    assert select_many(written, NEEDED, of=NEEDED).with_columns(pl.all().fill_null("")).equals(whole)


def test_packed_and_unpacked() -> None:
    data = encode(canonicalise(PINNED))
    assert unpack(pack(data)) == data
    assert pack(data) == pack(data)


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(NotCanonical):
        unpack(zstandard.ZstdCompressor(level=1).compress(b"\x00" * (MAX_UNPACKED + 1)))
    with pytest.raises(NotCanonical):
        unpack(b"PK\x03\x04 no zstd")
    with pytest.raises(NotCanonical):
        unpack(pack(b"x" * 1000)[:-3])
    with pytest.raises(NotCanonical):
        unpack(pack(b"x") + b"more")
    with pytest.raises(NotCanonical):
        unpack(zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 1000))


def test_one_pupil_edited_or_gone() -> None:
    roster = canonicalise(PINNED)
    edited = with_values(roster, 1, {"grade": "ป2", "room": "๓"})
    assert edited.select("grade", "room").rows() == [("ป.1", "1"), ("ป.2", "3")]
    assert without_line(roster, 1)["grade"].to_list() == ["ป.1"]
    for line in (0, 3):
        with pytest.raises(IndexError):
            with_values(roster, line, {"room": "1"})
        with pytest.raises(IndexError):
            without_line(roster, line)
    with pytest.raises(KeyError):
        with_values(roster, 1, {"age_years": "7"})


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("05/11/2553", "2010-11-05"),
        ("5/11/2553", "2010-11-05"),
        ("5-11-2553", "2010-11-05"),
        ("05.11.2553", "2010-11-05"),
        ("๐๕/๑๑/๒๕๕๓", "2010-11-05"),
        ("2553-11-05", "2010-11-05"),
        ("2010-11-05", "2010-11-05"),
        ("2010-11-05 00:00:00", "2010-11-05"),
        ("05/11/2010", "2010-11-05"),
        ("5 พ.ย. 2553", "2010-11-05"),
        ("5 พฤศจิกายน พ.ศ. 2553", "2010-11-05"),
        ("๕ พฤศจิกายน ๒๕๕๓", "2010-11-05"),
        ("29/02/2551", "2008-02-29"),
        ("29/02/2552", "29/02/2552"),
        ("05/11/53", "05/11/53"),
        ("13/13/2553", "13/13/2553"),
        ("5 พบ. 2553", "5 พบ. 2553"),
        ("40487", "40487"),
        ("", ""),
    ],
)
def test_dates(text: str, iso: str) -> None:
    assert iso_date(text) == iso


@given(st.dates())
def test_a_date_in_either_era_is_the_same_date(day) -> None:  # type: ignore[no-untyped-def]
    if 1857 <= day.year <= 2199:
        for year in (day.year, day.year + 543):
            assert iso_date(f"{day.day}/{day.month}/{year}") == day.isoformat()
        assert iso_date(day.isoformat()) == day.isoformat()
