"""The catalogue of findings: every rule a roster is checked by, what it says in Thai and English, and what to do about it.
How a rule is tested is `checks`' business; why a whole file is refused is `catalogue_refusals`'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from services.contracts.roster.fields import of_kind

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. An `error` keeps a roster from being confirmed, a `warning` wants a correction or a sentence of
    explanation, a `note` tells the school what will follow. `source` says where the rule comes from."""

    code: str
    severity: Severity
    th: str
    en: str
    fix_th: str
    fix_en: str
    fields: tuple[str, ...]
    source: str


_CHECKS = "checks before confirming, proposed after DMC's menus (domain reference 3.2)"

RULES: tuple[Rule, ...] = (
    Rule(
        "national-id-missing",
        "error",
        "ไม่มีเลขประจำตัวประชาชน",
        "The national ID is missing.",
        "กรอกเลข 13 หลักตามสูติบัตร หรือขอรหัส G สำหรับนักเรียนที่ไม่มีเลข",
        "Enter the 13 digits of the birth certificate, or apply for a G-code for a pupil without a number.",
        ("national_id",),
        "national ID is the key of a pupil (domain reference 1.1)",
    ),
    Rule(
        "national-id-format",
        "error",
        "เลขประจำตัวประชาชนไม่ใช่ตัวเลข 13 หลักหรือรหัส G (อาจถูก Excel แปลงเป็นรูป 1.1E+12 หรือเป็นสูตร)",
        "The national ID is neither 13 digits nor a G-code; a spreadsheet may have turned it into 1.1E+12 or a formula.",
        "ตั้งรูปแบบคอลัมน์เป็นข้อความ แล้วกรอกเลขเต็ม 13 หลัก",
        "Set the column's format to text and enter all 13 digits.",
        ("national_id",),
        "domain reference 1.1; spreadsheets damage IDs",
    ),
    Rule(
        "national-id-checksum",
        "error",
        "เลขประจำตัวประชาชนไม่ถูกต้อง หลักสุดท้ายไม่ตรงกับผลคำนวณ",
        "The national ID cannot be right: its last digit does not fit the other twelve.",
        "ตรวจเทียบกับสูติบัตรหรือทะเบียนบ้านทีละหลัก",
        "Compare it digit by digit with the birth certificate or the house register.",
        ("national_id",),
        "check digit of the population register (domain reference 1.1)",
    ),
    Rule(
        "national-id-repeated",
        "error",
        "เลขประจำตัวประชาชนนี้ปรากฏมากกว่าหนึ่งครั้งในโรงเรียน",
        "This national ID is on the school's roll more than once.",
        "เหลือนักเรียนคนนั้นเพียงแถวเดียว หรือแก้เลขของคนที่กรอกผิด",
        "Keep one row for the pupil, or correct the number that was entered wrongly.",
        ("national_id",),
        "one active row per national ID (domain reference 1.1)",
    ),
    Rule(
        "school-code-mismatch",
        "error",
        "รหัสโรงเรียนในแถวไม่ใช่รหัสของโรงเรียนนี้",
        "The row's school code is not this school's.",
        "ตรวจว่าส่งไฟล์ของโรงเรียนถูกแห่ง ใช้รหัส 8 หลักหรือ 10 หลักของโรงเรียน",
        "Make sure that the file is this school's; use its 8-digit or 10-digit code.",
        ("school_code",),
        "school codes (domain reference 2.1)",
    ),
    Rule(
        "grade-unknown",
        "error",
        "ไม่มีชั้นเรียน หรือชั้นเรียนไม่อยู่ในรายการ (อ.1-อ.3 ป.1-ป.6 ม.1-ม.6 ปวช.1-ปวช.3)",
        "The grade is blank or not one of อ.1-อ.3, ป.1-ป.6, ม.1-ม.6, ปวช.1-ปวช.3.",
        "กรอกชั้นตามรายการ “อนุบาล 1” ของหลักสูตร 2 ปี คือ อ.2",
        "Enter a grade of the list; the first year of a two-year kindergarten is อ.2.",
        ("grade",),
        "GRADE_LEVEL (domain reference 1.3)",
    ),
    Rule(
        "room-invalid",
        "error",
        "ห้องต้องเป็นจำนวนเต็มตั้งแต่ 1",
        "The room must be a whole number from 1.",
        "กรอกเลขห้อง ถ้ามีห้องเดียวให้กรอก 1",
        "Enter the room's number; if the grade has one room, enter 1.",
        ("room",),
        _CHECKS,
    ),
    Rule(
        "sex-missing",
        "error",
        "ไม่ได้ระบุเพศ",
        "The sex is missing.",
        "กรอก ช หรือ ญ",
        "Enter ช (male) or ญ (female).",
        ("sex",),
        _CHECKS,
    ),
    Rule(
        "name-missing",
        "error",
        "ไม่มีชื่อหรือนามสกุล",
        "The first or the last name is missing.",
        "กรอกชื่อและนามสกุลตามสูติบัตร",
        "Enter both names as on the birth certificate.",
        ("first_name_th", "last_name_th"),
        _CHECKS,
    ),
    Rule(
        "birth-date-invalid",
        "error",
        "วันเกิดว่าง อ่านไม่ได้ อยู่หลังวันที่นับ หรืออายุเกิน 40 ปี",
        "The birth date is blank, no date, after the count day, or more than 40 years ago.",
        "กรอกเป็น วัน/เดือน/ปี พ.ศ. เช่น 05/11/2553",
        "Enter day/month/year of the Buddhist era, such as 05/11/2553.",
        ("birth_date",),
        _CHECKS,
    ),
    Rule(
        "title-sex-conflict",
        "error",
        "คำนำหน้าชื่อไม่ตรงกับเพศ",
        "The title does not fit the sex.",
        "แก้คำนำหน้าชื่อหรือเพศให้ตรงกัน",
        "Correct the title or the sex.",
        ("title", "sex"),
        _CHECKS,
    ),
    Rule(
        "code-unknown",
        "error",
        "ค่าไม่อยู่ในรายการของช่องนี้",
        "The value is not in this field's list.",
        "เลือกค่าจากรายการ หรือเว้นว่างไว้",
        "Choose a value of the list, or leave it blank.",
        tuple(key for key in of_kind("code", "flag") if key != "grade"),
        "code tables (domain reference 1.3)",
    ),
    Rule(
        "number-invalid",
        "error",
        "ค่าต้องเป็นตัวเลขไม่ติดลบ",
        "The value must be a number that is not negative.",
        "กรอกเฉพาะตัวเลข ไม่ใส่หน่วย หรือเว้นว่างไว้",
        "Enter digits only, without a unit, or leave it blank.",
        tuple(key for key in of_kind("int", "decimal") if key != "room"),
        "types of the DMC export (domain reference 1.2)",
    ),
    Rule(
        "student-code-repeated",
        "error",
        "รหัสนักเรียนนี้ปรากฏมากกว่าหนึ่งครั้งในโรงเรียน",
        "This student code is on the school's roll more than once.",
        "แก้รหัสนักเรียนให้ไม่ซ้ำกัน",
        "Give every pupil a code of their own.",
        ("student_code",),
        "the school's running number (domain reference 1.1)",
    ),
    Rule(
        "age-grade",
        "warning",
        "อายุต่างจากอายุปกติของชั้นตั้งแต่ 3 ปีขึ้นไป",
        "The age is three years or more off what is usual in the grade.",
        "ตรวจวันเกิดและชั้น ถ้าถูกต้องให้เขียนคำอธิบาย",
        "Check the birth date and the grade; if both are right, explain it.",
        ("birth_date", "grade"),
        "ages at 16 May (domain reference 1.4)",
    ),
    Rule(
        "title-age",
        "warning",
        "คำนำหน้าชื่อไม่ตรงกับอายุ (เด็กชาย/เด็กหญิง อายุต่ำกว่า 15 ปี)",
        "The title does not fit the age: เด็กชาย and เด็กหญิง are for those under 15.",
        "เปลี่ยนคำนำหน้าชื่อ หรือตรวจวันเกิด ถ้าถูกต้องให้เขียนคำอธิบาย",
        "Change the title or check the birth date; if both are right, explain it.",
        ("title", "birth_date"),
        _CHECKS,
    ),
    Rule(
        "body-measure",
        "warning",
        "น้ำหนักหรือส่วนสูงไม่น่าเป็นไปได้ตามอายุ",
        "The weight or height is hardly possible at this age.",
        "น้ำหนักเป็นกิโลกรัม ส่วนสูงเป็นเซนติเมตร ตรวจว่าไม่สลับช่อง ถ้าถูกต้องให้เขียนคำอธิบาย",
        "Weight is in kilograms and height in centimetres; make sure that they are not swapped, or explain it.",
        ("weight_kg", "height_cm"),
        "our bounds, far wider than the WHO growth reference",
    ),
    Rule(
        "no-pupils",
        "warning",
        "ไฟล์ไม่มีนักเรียนเลย โรงเรียนจะยืนยันว่ามีนักเรียน 0 คน",
        "The roster has no pupils: the school would confirm zero.",
        "ถ้าโรงเรียนไม่มีนักเรียนจริง (เช่น ไปเรียนรวม) ให้เขียนคำอธิบาย",
        "If the school really has no pupils, for instance because another one teaches them, explain it.",
        (),
        "schools with 0 pupils still confirm (domain reference 11, no. 22)",
    ),
    Rule(
        "cannot-discharge",
        "note",
        "ยังไม่สามารถจำหน่ายได้ (3.1.8): คงชื่อไว้ แต่ไม่นับเป็นนักเรียนที่มีตัวตน",
        "Cannot be discharged yet (3.1.8): stays on the roll and is not counted.",
        "ไม่ต้องแก้ไข ถ้านักเรียนกลับมาเรียนแล้วให้ลบเครื่องหมายนี้",
        "Nothing to do; remove the mark if the pupil has come back.",
        ("cannot_discharge_yet",),
        "menu 3.1.8 (domain reference 1.5)",
    ),
    Rule(
        "under-age",
        "note",
        "อายุไม่ครบ 4 ปี ณ วันที่ 16 พฤษภาคม: ไม่ได้รับเงินอุดหนุนและไม่นับ",
        "Under four full years at 16 May: not funded and not counted.",
        "ไม่ต้องแก้ไข ตรวจวันเกิดหากไม่ถูกต้อง",
        "Nothing to do, unless the birth date is wrong.",
        ("birth_date",),
        "notice of 2556 on children under four (domain reference 1.4)",
    ),
)

CATALOGUE: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in RULES})
