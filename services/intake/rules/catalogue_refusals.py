"""Why a file is no roster: the stable codes with which a whole file is turned away, in Thai and English. Faults of
single pupils are findings and live in `catalogue`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MAX_ROWS = 6_000
HEADER_ROWS = 15

REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "empty-file": (
            "ไฟล์ว่างเปล่า ไม่มีข้อมูลแม้แต่หัวตาราง กรุณาส่งออกจากระบบใหม่แล้วส่งอีกครั้ง",
            "The file is empty, it does not even hold a header. Export it again and send it.",
        ),
        "not-a-roster": (
            "ไฟล์นี้ไม่ใช่ตารางรายชื่อนักเรียน (อ่านเป็น CSV, XLSX หรือ JSON ไม่ได้)",
            "This is no table of pupils: it can be read neither as CSV nor as XLSX nor as JSON.",
        ),
        "mixed-encoding": (
            "ไฟล์ปนรหัสอักขระสองแบบ (UTF-8 กับ windows-874) แถวที่ {row} เปิดไฟล์แล้วบันทึกใหม่เป็นแบบเดียว",
            "The file mixes two encodings, UTF-8 and windows-874 (see row {row}). Save it again in one of them.",
        ),
        "header-missing": (
            "ไม่พบหัวตารางใน 15 แถวแรก ต้องมีแถวที่ขึ้นต้นด้วยชื่อคอลัมน์ เช่น รหัสโรงเรียน เลขประจำตัวประชาชน",
            "No header was found in the first 15 rows: one of them must hold the column names as in the DMC export.",
        ),
        "header-doubled": (
            "คอลัมน์ “{field_th}” ปรากฏมากกว่าหนึ่งครั้ง (ดูแถวที่ {row}) และข้อมูลไม่ตรงกัน ให้เหลือเพียงคอลัมน์เดียวและหัวตารางเดียว",
            "The column “{field_en}” is there more than once (see row {row}) with differing content. Keep one column "
            "and one header.",
        ),
        "required-column-missing": (
            "ไม่มีคอลัมน์ที่จำเป็น: {fields_th}",
            "Columns that a roster needs are missing: {fields_en}.",
        ),
        "too-many-rows": (
            "ไฟล์มีมากกว่า 6,000 แถว โรงเรียนเดียวไม่ควรมีมากเท่านี้ ตรวจว่าเป็นไฟล์ของโรงเรียนเดียวและไม่มีแถวเกิน",
            "The file has more than 6,000 rows. It must hold the pupils of one school and nothing below them.",
        ),
        "too-many-columns": (
            "ไฟล์มีข้อมูลเกินคอลัมน์ที่ 130 ลบข้อมูลที่อยู่นอกตารางรายชื่อแล้วส่งใหม่",
            "The file has cells beyond its 130th column. Remove what is outside the table and send it again.",
        ),
        "ragged-row": (
            "แถวที่ {row} มีช่องมากกว่าหัวตาราง ข้อมูลอาจเลื่อนช่อง ให้ใส่เครื่องหมายคำพูดครอบค่าที่มีจุลภาค",
            "Row {row} has more cells than the header, its values may have moved. Put values with a comma in quotes.",
        ),
        "broken-quotes": (
            "เครื่องหมายคำพูดในไฟล์ CSV เปิดแล้วไม่ปิด หรือวางผิดที่ ใกล้แถวที่ {row}",
            "Quotes in the CSV file are not closed or misplaced, near row {row}.",
        ),
        "zip-bomb": (
            "ไฟล์ XLSX นี้คลายออกแล้วใหญ่ผิดปกติ ระบบจึงไม่เปิด กรุณาบันทึกใหม่เป็นไฟล์ธรรมดา",
            "This XLSX file would unpack to an absurd size and was not opened. Save the table as a plain file again.",
        ),
        "unreadable-workbook": (
            "เปิดไฟล์ XLSX ไม่ได้ ไฟล์อาจเสียหายหรือไม่ใช่ XLSX ให้เปิดในโปรแกรมตารางแล้วบันทึกใหม่",
            "The XLSX file cannot be opened: it is damaged or of another kind. Open it in a spreadsheet and save it again.",
        ),
        "workbook-encrypted": (
            "ไฟล์ XLSX มีรหัสผ่าน ให้เอารหัสผ่านออกแล้วส่งใหม่",
            "The XLSX file is protected by a password. Remove it and send the file again.",
        ),
        "xls-not-supported": (
            "ไฟล์ .xls แบบเก่า ให้บันทึกเป็น .xlsx หรือ CSV แล้วส่งใหม่",
            "This is an old .xls file. Save it as .xlsx or CSV and send it again.",
        ),
        "several-sheets": (
            "พบรายชื่อนักเรียนในมากกว่าหนึ่งแผ่นงาน ให้รวมไว้ในแผ่นงานเดียว",
            "More than one sheet holds a list of pupils. Put all pupils on one sheet.",
        ),
    }
)


class Unreadable(Exception):
    """A file that is no roster, with the stable `code`, its text in both languages, and the row to look at, if any.

    No value of the file is ever in the text: only row numbers and names of fields.
    """

    def __init__(self, code: str, th: str, en: str, row: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.th = th
        self.en = en
        self.row = row


def refusal(code: str, row: int | None = None, **names: str) -> Unreadable:
    """The refusal `code` with its places filled in; KeyError for a code that is not in REFUSALS."""
    th, en = REFUSALS[code]
    places = {"row": str(row), **names}
    return Unreadable(code, th.format(**places), en.format(**places), row)
