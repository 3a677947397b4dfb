"""Fields about the pupil: who, which class, body, needs, the way to school, and the year-end result."""

from __future__ import annotations

from services.contracts.roster.field import Field, coded, flag

IDENTITY: tuple[Field, ...] = (
    Field(
        "school_code",
        "รหัสโรงเรียน",
        "School code",
        "id",
        required="always",
        sensitivity="plain",
        aliases=("รหัสสถานศึกษา", "รหัสโรงเรียน 8 หลัก", "รหัส SMIS", "SMIS"),
    ),
    Field("school_name", "ชื่อโรงเรียน", "School name", sensitivity="plain", derived=True, aliases=("โรงเรียน",)),
    Field(
        "national_id",
        "เลขประจำตัวประชาชน",
        "National ID",
        "id",
        required="always",
        sensitivity="identity",
        aliases=("เลขประจำตัวประชาชนนักเรียน", "หมายเลขบัตรประชาชน", "เลขบัตรประชาชน", "รหัสประจำตัวประชาชน"),
    ),
    Field(
        "grade",
        "ชั้น",
        "Grade",
        "code",
        "grade",
        required="always",
        sensitivity="plain",
        aliases=("ชั้นเรียน", "ระดับชั้น"),
    ),
    Field("room", "ห้อง", "Room", "int", required="always", sensitivity="plain", aliases=("ห้องเรียน", "ห้องที่")),
    Field(
        "student_code", "รหัสนักเรียน", "Student code", "id", aliases=("เลขประจำตัวนักเรียน", "รหัสประจำตัวนักเรียน")
    ),
    Field("sex", "เพศ", "Sex", "code", "sex", required="always"),
    coded("title", "คำนำหน้าชื่อ", "Title", "title", "personal", "คำนำหน้า", "คำนำหน้าชื่อนักเรียน"),
    Field("first_name_th", "ชื่อ", "First name", required="always", aliases=("ชื่อนักเรียน", "ชื่อ (ไทย)")),
    Field(
        "last_name_th",
        "นามสกุล",
        "Last name",
        required="always",
        aliases=("นามสกุลนักเรียน", "นามสกุล (ไทย)", "สกุล"),
    ),
    Field("first_name_en", "ชื่อ (อังกฤษ)", "First name in English", aliases=("ชื่อภาษาอังกฤษ",)),
    Field("last_name_en", "นามสกุล (อังกฤษ)", "Last name in English", aliases=("นามสกุลภาษาอังกฤษ",)),
    Field(
        "birth_date", "วันเกิด", "Birth date", "date", required="always", aliases=("วันเดือนปีเกิด", "วัน/เดือน/ปีเกิด")
    ),
    Field("age_years", "อายุ(ปี)", "Age in years", "int", derived=True, aliases=("อายุ",)),
    Field("age_months", "อายุ(เดือน)", "Age in months", "int", derived=True),
    coded("blood_type", "หมู่โลหิต", "Blood group", "blood_type", "sensitive", "กลุ่มเลือด", "หมู่เลือด", "กรุ๊ปเลือด"),
    coded("ethnicity", "เชื้อชาติ", "Ethnicity", "ethnicity", "sensitive"),
    coded("nationality", "สัญชาติ", "Nationality", "nationality"),
    coded("religion", "ศาสนา", "Religion", "religion", "sensitive"),
)

NEEDS: tuple[Field, ...] = (
    Field(
        "weight_kg",
        "น้ำหนัก",
        "Weight, kg",
        "decimal",
        sensitivity="sensitive",
        aliases=("น้ำหนัก (กก.)", "น้ำหนัก(กิโลกรัม)"),
    ),
    Field(
        "height_cm",
        "ส่วนสูง",
        "Height, cm",
        "decimal",
        sensitivity="sensitive",
        aliases=("ส่วนสูง (ซม.)", "ส่วนสูง(เซนติเมตร)"),
    ),
    coded("disadvantage", "ความด้อยโอกาส", "Disadvantage", "disadvantage", "sensitive"),
    coded("boarding", "การพักนอนประจำ", "Boarding", "boarding"),
    flag("lacks_uniform", "ขาดแคลนเครื่องแบบ", "Lacks a uniform", "personal", "ขาดแคลนเครื่องแบบนักเรียน"),
    flag("lacks_stationery", "ขาดแคลนเครื่องเขียน", "Lacks stationery"),
    flag("lacks_textbook", "ขาดแคลนแบบเรียน", "Lacks textbooks"),
    flag("lacks_lunch", "ขาดแคลนอาหารกลางวัน", "Lacks lunch"),
    coded("disability", "ความพิการ", "Disability", "disability", "sensitive"),
)

TRAVEL: tuple[Field, ...] = (
    Field(
        "dist_unpaved_km", "ระยะทางจากบ้านถึงโรงเรียน (ถนนลูกรัง)", "Way to school on unpaved road, km", "decimal"
    ),
    Field(
        "dist_paved_km", "ระยะทางจากบ้านถึงโรงเรียน (ถนนลาดยาง)", "Way to school on paved road, km", "decimal"
    ),
    Field("dist_water_km", "ระยะทางจากบ้านถึงโรงเรียน (ทางน้ำ)", "Way to school by water, km", "decimal"),
    Field(
        "travel_minutes",
        "ระยะเวลาจากบ้านถึงโรงเรียน",
        "Minutes to school",
        "int",
        aliases=("ระยะเวลาเดินทาง (นาที)",),
    ),
    coded(
        "travel_mode", "ลักษณะการเดินทางมาโรงเรียน", "Way to school", "travel_mode", "personal", "ลักษณะการเดินทาง"
    ),
)

SCHOOLING: tuple[Field, ...] = (
    Field("student_type", "ประเภทนักเรียน", "Kind of student"),
    Field("gpax", "GPAX", "Cumulative grade point average", "decimal"),
    Field("gpa", "GPA", "Grade point average", "decimal"),
    Field("birth_province", "จังหวัดที่เกิด", "Province of birth"),
    Field("siblings_studying", "จำนวนพี่น้องที่ศึกษาอยู่", "Siblings at school", "int"),
    Field("branch_school_code", "รหัสโรงเรียนห้องสาขา", "Branch's code", "id", sensitivity="plain"),
    Field("branch_school_name", "ชื่อโรงเรียนห้องสาขา", "Branch's name", sensitivity="plain"),
    flag(
        "cannot_discharge_yet",
        "ยังไม่สามารถจำหน่ายได้ (3.1.8)",
        "Cannot be discharged yet (menu 3.1.8)",
        "personal",
        "ยังไม่สามารถจำหน่ายได้",
        "แขวนลอย",
    ),
)

YEAR_END: tuple[Field, ...] = (
    Field(
        "year_result",
        "ผลปลายปี",
        "Year-end result",
        "code",
        "year_result",
        required="year_end",
        aliases=("ผลการเรียนปลายปี",),
    ),
    Field("years_studied", "จำนวนปีที่เรียน", "Years studied", "int"),
    Field("failing_reason", "สาเหตุที่สอบตก", "Reason for failing", aliases=("เหตุผลที่สอบตก",)),
    flag("graduated", "จบการศึกษา", "Graduated", "personal", "สำเร็จการศึกษา"),
    coded("next_step", "การศึกษาต่อ", "After graduation", "next_step", "personal", "การศึกษาต่อหรือการทำงาน"),
)
