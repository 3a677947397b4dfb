"""Reading what schools send as text: the encodings, delimiters and headers of real exports, and files that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.roster.canonical import canonicalise
from services.contracts.roster.fields import required_columns
from services.intake.rules.catalogue_refusals import MAX_ROWS, REFUSALS, Unreadable, refusal
from services.intake.rules.reading import Readout, read

HEADERS = [
    "รหัสโรงเรียน",
    "ชื่อโรงเรียน",
    "เลขประจำตัวประชาชน",
    "ชั้น",
    "ห้อง",
    "รหัสนักเรียน",
    "เพศ",
    "คำนำหน้าชื่อ",
    "ชื่อ",
    "นามสกุล",
    "วันเกิด",
    "อายุ(ปี)",
    "น้ำหนัก",
    "หมายเหตุ",
]
PUPILS = [
    line.split("|")
    for line in (
        "66020001|บ้านทดสอบ|1112034563562|ป.1|1|1001|ช|เด็กชาย|สมชาย|ใจดี|05/11/2557|7|21.5|",
        "66020001|บ้านทดสอบ|G644200000001|อ.2|1|1002|ญ|เด็กหญิง|น้ำฝน|รักเรียน|01/03/2559|5|18|x",
    )
]
TITLE = "วันและเวลาที่สร้างรายงาน 10/11/2564 08:31"


def table(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    return "".join(delimiter.join(row) + end for row in rows)


def refused(data: bytes, media_type: str = "text/csv", filename: str = "roster.csv") -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(data, media_type, filename)
    assert caught.value.code in REFUSALS
    assert caught.value.th != caught.value.en
    assert "{" not in caught.value.th + caught.value.en
    assert "1112034563562" not in caught.value.th + caught.value.en
    return caught.value


def outcome(data: bytes) -> Readout | str:
    """The readout, or the code of the refusal."""
    try:
        return read(data)
    except Unreadable as error:
        return error.code


def values(readout: Readout, *keys: str) -> list[tuple[str, ...]]:
    return readout.frame.select(keys).rows()


PLAIN = table([HEADERS, *PUPILS])


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PLAIN.encode(), "utf-8"),
        (PLAIN.encode("utf-8-sig"), "utf-8-sig"),
        (PLAIN.encode("cp874"), "cp874"),
        (table([HEADERS, *PUPILS], "\t").encode("utf-16"), "utf-16"),
        (table([HEADERS, *PUPILS], "\t").encode(), "utf-8"),
        (table([HEADERS, *PUPILS], ";").encode("cp874"), "cp874"),
        (table([HEADERS, *PUPILS], "|", "\n").encode(), "utf-8"),
        (table([[TITLE], [], HEADERS, *PUPILS]).encode(), "utf-8"),
        (("sep=;\r\n" + table([HEADERS, *PUPILS], ";")).encode(), "utf-8"),
        (table([HEADERS, *PUPILS], end="\r").encode(), "utf-8"),
    ],
    ids=["utf8", "bom", "cp874", "utf16", "tab", "semicolon", "pipe", "title-line", "sep-line", "old-mac"],
)
def test_forms_that_schools_send(data: bytes, encoding: str) -> None:
    readout = read(data, "text/csv", "1066020001.csv")
    assert readout.encoding == encoding
    assert readout.form == "csv"
    assert readout.unknown_headers == ("หมายเหตุ",)
    assert values(readout, "national_id", "grade", "first_name_th", "birth_date") == [
        ("1112034563562", "ป.1", "สมชาย", "05/11/2557"),
        ("G644200000001", "อ.2", "น้ำฝน", "01/03/2559"),
    ]
    assert "school_name" not in readout.frame.columns
    assert "age_years" not in readout.frame.columns


def test_row_numbers_are_those_of_the_users_file() -> None:
    rows = [[TITLE], [""], HEADERS, PUPILS[0], [""] * 3, [" "] * len(HEADERS), PUPILS[1]]
    readout = read(table(rows).encode())
    assert readout.header_row == 3
    assert readout.frame["_source_row"].to_list() == [4, 7]
    assert canonicalise(readout.frame)["_source_row"].to_list() == [7, 4]


def test_quoted_values_may_hold_delimiters_and_line_breaks() -> None:
    pupil = list(PUPILS[0])
    pupil[8] = '"สม,ชาย\r\n""เล็ก"""'
    readout = read(table([HEADERS, pupil, PUPILS[1]]).encode())
    assert values(readout, "first_name_th") == [('สม,ชาย\r\n"เล็ก"',), ("น้ำฝน",)]
    assert readout.frame["_source_row"].to_list() == [2, 3]


def test_short_rows_are_padded_and_trailing_blanks_ignored() -> None:
    readout = read(table([HEADERS, PUPILS[0][:11], [*PUPILS[1], "", ""]]).encode())
    assert values(readout, "weight_kg") == [("",), ("18",)]


def test_a_header_alone_is_a_school_without_pupils() -> None:
    readout = read(table([HEADERS]).encode())
    assert readout.frame.height == 0
    assert "national_id" in readout.frame.columns
    assert canonicalise(readout.frame).height == 0


def test_header_spellings_differ() -> None:
    headers = [
        " รหัสโรงเรียน",
        "",
        "เลขประจำตัวประชาชน\u200b",
        "ระดับชั้น",
        "ห้อง",
        "เลขประจำตัวนักเรียน",
        *HEADERS[6:],
    ]
    assert values(read(table([headers, *PUPILS]).encode()), "student_code") == [("1001",), ("1002",)]


def test_repeated_columns_with_equal_content_are_one() -> None:
    rows = [[*HEADERS, "น้ำหนัก"], [*PUPILS[0], "21.5 "], [*PUPILS[1], "18"]]
    assert values(read(table(rows).encode()), "weight_kg") == [("21.5",), ("18",)]


def test_of_two_columns_one_may_be_blank() -> None:
    rows = [[*HEADERS, "เลขประจำตัวนักเรียน"], [*PUPILS[0], ""], [*PUPILS[1], ""]]
    assert values(read(table(rows).encode()), "student_code") == [("1001",), ("1002",)]


def test_header_doubled() -> None:
    rows = [[*HEADERS, "น้ำหนัก"], [*PUPILS[0], "22"], [*PUPILS[1], "18"]]
    error = refused(table(rows).encode())
    assert error.code == "header-doubled"
    assert "น้ำหนัก" in error.th


def test_two_lists_pasted_together() -> None:
    error = refused(table([HEADERS, PUPILS[0], HEADERS, PUPILS[1]]).encode())
    assert (error.code, error.row) == ("header-doubled", 3)


@pytest.mark.parametrize("data", [b"", b"\n\r\n  ", b"\xef\xbb\xbf", b"\xff\xfe", bytes(10)], ids=repr)
def test_empty_file(data: bytes) -> None:
    assert refused(data).code == "empty-file"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        b"%PDF-1.7\n" + bytes(range(256)) * 20,
        bytes(range(256)) * 40,
        b"\x1f\x8b\x08" + b"\x00\x01\x02" * 500,
        "รหัสโรงเรียน,ชั้น\x00".encode(),
    ],
    ids=["png", "pdf", "every-byte", "gzip", "nul"],
)
def test_binary_junk(data: bytes) -> None:
    assert refused(data).code == "not-a-roster"


def test_mixed_encoding_names_the_row() -> None:
    data = table([HEADERS, PUPILS[0]]).encode() + table([PUPILS[1]]).encode("cp874")
    error = refused(data)
    assert (error.code, error.row) == ("mixed-encoding", 1)
    late = table([HEADERS, PUPILS[0]]).encode("cp874") + table([PUPILS[1]]).encode()
    assert (refused(late).code, refused(late).row) == ("mixed-encoding", 3)


def test_one_damaged_letter_in_utf8() -> None:
    data = PLAIN.encode()
    cut = data.index("สมชาย".encode()) + 1
    assert refused(data[:cut] + data[cut + 1 :]).code == "mixed-encoding"


@given(st.lists(st.text("กขคเแโใไนธผฟอะาิีุู็่้๊๋์ำ 0123456789.-/", max_size=15), min_size=14, max_size=14))
def test_thai_in_windows_874_is_never_taken_for_a_mixture(pupil: list[str]) -> None:
    cells = ["1112034563562", *pupil[1:]]
    data = table([HEADERS, cells]).encode("cp874")
    readout = read(data)
    assert readout.encoding == "cp874"
    assert values(readout, "first_name_th") == [(pupil[8],)]


@pytest.mark.parametrize(
    "text",
    [
        "hello world",
        "a,b,c\n1,2,3\n",
        table(PUPILS),
        table([[str(n)] for n in range(16)] + [HEADERS, *PUPILS]),
    ],
    ids=["prose", "other-table", "no-header", "header-too-late"],
)
def test_header_missing(text: str) -> None:
    assert refused(text.encode()).code == "header-missing"


@pytest.mark.parametrize("key", required_columns())
def test_required_column_missing(key: str) -> None:
    keys = [other for other in required_columns() if other != key]
    error = refused(table([keys, ["x"] * len(keys)]).encode())
    assert error.code == "required-column-missing"


def test_several_required_columns_are_named() -> None:
    error = refused(table([["รหัสโรงเรียน", "ชั้น", "ห้อง"], ["1", "2", "3"]]).encode())
    assert "เลขประจำตัวประชาชน" in error.th
    assert "Birth date" in error.en


def test_too_many_rows() -> None:
    rows = [HEADERS, *([PUPILS[0]] * MAX_ROWS)]
    assert read(table(rows).encode()).frame.height == MAX_ROWS
    assert refused(table([*rows, PUPILS[0]]).encode()).code == "too-many-rows"
    assert refused((PLAIN + "\n" * 50_000).encode()).code == "too-many-rows"


def test_too_many_columns() -> None:
    assert refused(table([[*HEADERS, *[""] * 500], PUPILS[0]]).encode()).code == "too-many-columns"


def test_a_comma_that_shifts_a_row() -> None:
    error = refused(table([HEADERS, PUPILS[0], [*PUPILS[1], "อีกช่อง"]]).encode())
    assert (error.code, error.row) == ("ragged-row", 3)


@pytest.mark.parametrize("value", ['"สมชาย', '"สม"ชาย'])
def test_broken_quotes_lose_no_pupils_silently(value: str) -> None:
    pupil = [*PUPILS[0][:8], value, *PUPILS[0][9:]]
    assert refused(table([HEADERS, pupil, PUPILS[1]]).encode()).code == "broken-quotes"


def test_formulas_and_scientific_numbers_stay_as_typed() -> None:
    pupil = ["66020001", "", "1.11203E+12", "=1+1", *PUPILS[0][4:]]
    assert values(read(table([HEADERS, pupil]).encode()), "national_id", "grade") == [("1.11203E+12", "=1+1")]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for candidate in (data, PLAIN.encode() + data, PLAIN.encode("cp874") + data):
        readout = outcome(candidate)
        assert isinstance(readout, Readout) or readout in REFUSALS


@given(st.text(max_size=200))
def test_any_text_below_a_header_is_read_or_refused(text: str) -> None:
    readout = outcome((PLAIN + text).encode())
    if isinstance(readout, Readout):
        canonicalise(readout.frame)
    else:
        assert readout in REFUSALS


def test_refusals_have_both_languages_and_fill_their_places() -> None:
    for code, (th, en) in REFUSALS.items():
        assert any("\u0e00" <= char <= "\u0e7f" for char in th)
        assert not any("\u0e00" <= char <= "\u0e7f" for char in en)
        made = refusal(code, row=3, field_th="ก", field_en="a", fields_th="ก", fields_en="a")
        assert "{" not in made.th + made.en
