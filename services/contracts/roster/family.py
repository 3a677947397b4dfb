"""Fields about the pupil's family: brothers and sisters, parents, guardian."""

from __future__ import annotations

from services.contracts.roster.field import Field, coded


def _person(prefix: str, th: str, en: str) -> tuple[Field, ...]:
    """Seven fields about one grown-up. Titles stay free text: ranks of the police and the forces have no public table."""
    return (
        Field(
            f"{prefix}_national_id",
            f"หมายเลขบัตรประชาชน{th}",
            f"{en}'s national ID",
            "id",
            sensitivity="identity",
            aliases=(f"เลขประจำตัวประชาชน{th}", f"เลขบัตรประชาชน{th}", f"หมายเลขบัตรประชาชนของ{th}"),
        ),
        Field(f"{prefix}_title", f"คำนำหน้าชื่อ{th}", f"{en}'s title", aliases=(f"คำนำหน้า{th}",)),
        Field(f"{prefix}_first_name", f"ชื่อ{th}", f"{en}'s first name"),
        Field(f"{prefix}_last_name", f"นามสกุล{th}", f"{en}'s last name"),
        Field(
            f"{prefix}_income",
            f"รายได้ต่อเดือนของ{th}",
            f"{en}'s monthly income, baht",
            "decimal",
            aliases=(f"รายได้ต่อเดือน{th}", f"รายได้{th}"),
        ),
        Field(
            f"{prefix}_phone",
            f"หมายเลขโทรศัพท์ของ{th}",
            f"{en}'s telephone",
            aliases=(f"หมายเลขโทรศัพท์{th}", f"เบอร์โทรศัพท์{th}"),
        ),
        coded(
            f"{prefix}_occupation",
            f"อาชีพ{th}",
            f"{en}'s occupation",
            "occupation",
            "personal",
            f"อาชีพของ{th}",
        ),
    )


FAMILY: tuple[Field, ...] = (
    Field("elder_brothers", "จำนวนพี่ชาย", "Elder brothers", "int"),
    Field("younger_brothers", "จำนวนน้องชาย", "Younger brothers", "int"),
    Field("elder_sisters", "จำนวนพี่สาว", "Elder sisters", "int"),
    Field("younger_sisters", "จำนวนน้องสาว", "Younger sisters", "int"),
    Field(
        "child_order",
        "เป็นบุตรคนที่",
        "Which child",
        "int",
        aliases=("เป็นบุตร/ธิดาลำดับที่", "เป็นบุตรลำดับที่", "เป็นบุตร/ธิดาคนที่"),
    ),
    coded(
        "parents_status",
        "สถานภาพสมรสของบิดามารดา",
        "Parents' status",
        "parents_status",
        "personal",
        "สถานภาพของบิดามารดา",
        "สถานภาพบิดามารดา",
        "สถานภาพสมรสบิดามารดา",
    ),
    *_person("father", "บิดา", "Father"),
    *_person("mother", "มารดา", "Mother"),
    coded(
        "guardian_relation",
        "ความเกี่ยวข้องของผู้ปกครองกับนักเรียน",
        "Guardian's relation to the pupil",
        "guardian_relation",
        "personal",
        "ความเกี่ยวข้องกับนักเรียน",
        "ความสัมพันธ์ของผู้ปกครองกับนักเรียน",
    ),
    *_person("guardian", "ผู้ปกครอง", "Guardian"),
)
