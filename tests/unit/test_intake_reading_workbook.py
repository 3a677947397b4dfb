"""Reading XLSX: cells as a clerk means them, and packages made to hurt, none of which may reach the parser."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.rules.catalogue_refusals import REFUSALS, Unreadable
from services.intake.rules.reading import Readout, read
from services.intake.rules.workbook import MAX_INFLATED

HEADERS = ["รหัสโรงเรียน", "เลขประจำตัวประชาชน", "ชั้น", "ห้อง", "เพศ", "ชื่อ", "นามสกุล", "วันเกิด", "น้ำหนัก", "ห้อง"]
PUPIL = ["66020001", "1112034563562", "ป.1", 1, "ช", "สมชาย", "ใจดี", "05/11/2557", 21.5, 1]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(*sheets: list[list[object]]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for rows in sheets:
            sheet = book.add_worksheet()
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    _write(sheet, r, c, cell, day)
    return target.getvalue()


def _write(sheet, r: int, c: int, cell: object, day: object) -> None:  # type: ignore[no-untyped-def]
    if isinstance(cell, datetime.date):
        sheet.write_datetime(r, c, cell, day)
    elif isinstance(cell, str) and cell.startswith("="):
        sheet.write_formula(r, c, cell, None, 7)
    else:
        sheet.write(r, c, cell)


def changed(data: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """The package with its parts changed; a part changed to None is left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
        for name, part in more.items():
            new.writestr(name, part)
    return target.getvalue()


def in_sheet(data: bytes, old: bytes, new: bytes) -> bytes:
    return changed(data, lambda name, part: part.replace(old, new) if "sheet1" in name else part)


def outcome(data: bytes) -> Readout | str:
    """The readout, or the code of the refusal."""
    try:
        return read(data)
    except Unreadable as error:
        return error.code


def refused(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(data, XLSX, "roster.xlsx")
    assert caught.value.code in REFUSALS
    return caught.value.code


PLAIN = workbook([["วันและเวลาที่สร้างรายงาน 10/11/2564"], HEADERS, PUPIL])


def test_title_line_header_and_row_numbers() -> None:
    readout = read(PLAIN, XLSX, "studentInSchoolList.xlsx")
    assert (readout.form, readout.header_row, readout.sheet) == ("xlsx", 2, "Sheet1")
    assert readout.frame["_source_row"].to_list() == [3]
    assert readout.frame.select("national_id", "room", "first_name_th", "weight_kg").row(0) == (
        "1112034563562",
        "1",
        "สมชาย",
        "21.5",
    )


def test_numbers_dates_and_formulas_are_text() -> None:
    pupil = [66020001, 1112034563562, "ป.1", "=3+4", True, 12, 1e20, datetime.date(2014, 11, 5), 21.0, ""]
    frame = read(workbook([HEADERS, pupil])).frame
    wanted = (
        "school_code",
        "national_id",
        "room",
        "sex",
        "first_name_th",
        "last_name_th",
        "birth_date",
        "weight_kg",
    )
    assert frame.select(wanted).row(0) == (
        "66020001",
        "1112034563562",
        "7",
        "1",
        "12",
        "1e+20",
        "2014-11-05",
        "21",
    )


def test_a_date_typed_in_the_buddhist_era() -> None:
    pupil = [*PUPIL[:7], datetime.date(2557, 11, 5), *PUPIL[8:]]
    assert read(workbook([HEADERS, pupil])).frame["birth_date"].to_list() == ["2557-11-05"]


def test_header_not_in_the_first_column_and_blank_rows() -> None:
    rows = [[], [], ["", "", *HEADERS], [], ["", "", *PUPIL]]
    readout = read(workbook(rows))
    assert readout.header_row == 3
    assert readout.frame["_source_row"].to_list() == [5]


def test_the_sheet_with_the_list_is_found() -> None:
    readout = read(workbook([["คำชี้แจง"]], [HEADERS, PUPIL]))
    assert readout.sheet == "Sheet2"
    assert refused(workbook([HEADERS, PUPIL], [HEADERS, PUPIL])) == "several-sheets"
    assert refused(workbook([["คำชี้แจง"]])) == "header-missing"


def test_bomb_by_the_directory() -> None:
    bomb = changed(PLAIN, lambda _, part: part, **{"xl/media/a.bin": bytes(MAX_INFLATED + 1)})
    assert len(bomb) < 200_000
    assert refused(bomb) == "zip-bomb"


def test_bomb_of_200_megabytes() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(200):
                part.write(bytes(2**20))
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    assert refused(target.getvalue()) == "zip-bomb"


def test_bomb_by_ratio() -> None:
    assert refused(changed(PLAIN, lambda n, p: p + b" " * 5_000_000 if "sheet1" in n else p)) == "zip-bomb"


def test_bomb_with_a_lying_directory() -> None:
    """A part that unpacks to 30 MB and is declared as 100 bytes stops at its declared size and fails its checksum."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(30 * 2**20))
    size = (30 * 2**20).to_bytes(4, "little")
    lying = target.getvalue().replace(size, (100).to_bytes(4, "little"))
    assert lying != target.getvalue()
    assert refused(lying) == "unreadable-workbook"


def test_many_parts() -> None:
    more = {f"xl/media/{n}.bin": b"" for n in range(1_001)}
    assert refused(changed(PLAIN, lambda _, part: part, **more)) == "zip-bomb"


def test_one_cell_far_out_does_not_ask_for_the_whole_rectangle() -> None:
    assert refused(in_sheet(PLAIN, b'r="J3"', b'r="XFD3"')) == "too-many-columns"
    assert refused(in_sheet(PLAIN, b'r="J3"', b"r='EA3'")) == "too-many-columns"
    assert refused(in_sheet(PLAIN, b'r="J3"', b'r="J1048576"')) == "too-many-rows"
    assert refused(in_sheet(PLAIN, b'<row r="3"', b'<row r="1048576"')) == "too-many-rows"


def test_one_long_text_in_every_cell_is_not_multiplied() -> None:
    cells = b'<c t="s"><v>0</v></c>' * 60_000

    def grow(name: str, part: bytes) -> bytes:
        if "sharedStrings" in name:
            return part.replace("วันและเวลา".encode(), bytes(n % 25 + 97 for n in range(30_000)))
        return (
            part.replace(b"</sheetData>", b'<row r="4">' + cells + b"</row></sheetData>")
            if "sheet1" in name
            else part
        )

    assert refused(changed(PLAIN, grow)) == "zip-bomb"


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04" + b"junk" * 50,
        PLAIN[: len(PLAIN) // 2],
        changed(PLAIN, lambda name, part: None if name == "xl/workbook.xml" else part),
        changed(PLAIN, lambda name, part: b"<not xml" if "sheet1" in name else part),
        changed(PLAIN, lambda name, part: part[:-40] if "sharedStrings" in name else part),
        changed(PLAIN, lambda name, part: b"" if name == "xl/workbook.xml" else part),
    ],
    ids=["junk", "half", "no-workbook", "sheet-no-xml", "strings-cut", "workbook-empty"],
)
def test_damaged_packages(data: bytes) -> None:
    assert refused(data) in ("unreadable-workbook", "header-missing")


def test_other_packages_and_compressions() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>" * 100)
    assert refused(target.getvalue()) == "unreadable-workbook"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", b"<document/>")
    assert refused(target.getvalue()) == "unreadable-workbook"


def test_a_member_with_a_password() -> None:
    flagged = bytearray(PLAIN)
    at = flagged.index(b"PK\x01\x02")
    flagged[at + 8] |= 0x1
    assert refused(bytes(flagged)) == "workbook-encrypted"


def test_ole_containers() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert refused(ole + b"Workbook") == "xls-not-supported"
    assert refused(ole + "EncryptedPackage".encode("utf-16-le")) == "workbook-encrypted"


def test_an_entity_is_not_expanded() -> None:
    def declare(name: str, part: bytes) -> bytes:
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        return (
            part.replace(b"?>", b"?>" + bomb, 1).replace("สมชาย".encode(), b"&b;")
            if "shared" in name
            else part
        )

    readout = outcome(changed(PLAIN, declare))
    if isinstance(readout, Readout):
        assert "aaaaaaaaaa" not in readout.frame["first_name_th"][0]
    else:
        assert readout == "unreadable-workbook"


@settings(deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.binary(min_size=1, max_size=6))
def test_a_package_with_any_damage_is_read_or_refused(at: int, noise: bytes) -> None:
    readout = outcome(PLAIN[:at] + noise + PLAIN[at + len(noise) :])
    assert isinstance(readout, Readout) or readout in REFUSALS


_SHEET = zipfile.ZipFile(io.BytesIO(PLAIN)).read("xl/worksheets/sheet1.xml")


@settings(deadline=None)
@given(
    st.integers(0, len(_SHEET) - 1),
    st.sampled_from([b"", b"<", b'"', b">", b"9", b"-1", b"&", b"\x00", b"Z", b"99999999999"]),
)
def test_a_sheet_with_any_damage_is_read_or_refused(at: int, noise: bytes) -> None:
    readout = outcome(
        changed(PLAIN, lambda name, part: part[:at] + noise + part[at + 1 :] if "sheet1" in name else part)
    )
    assert isinstance(readout, Readout) or readout in REFUSALS
