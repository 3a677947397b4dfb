"""Fields of the pupil's two addresses: the one in the house register and the one where the pupil lives."""

from __future__ import annotations

from services.contracts.roster.field import Field


def _address(prefix: str, th: str, en: str) -> tuple[Field, ...]:
    return (
        Field(f"{prefix}_house_code", f"รหัสประจำบ้าน ({th})", f"House code, 11 digits ({en})", "id"),
        Field(f"{prefix}_house_no", f"เลขที่บ้าน ({th})", f"House number ({en})", aliases=(f"บ้านเลขที่ ({th})",)),
        Field(f"{prefix}_moo", f"หมู่ ({th})", f"Village number ({en})", aliases=(f"หมู่ที่ ({th})",)),
        Field(f"{prefix}_road", f"ถนน ({th})", f"Road ({en})", aliases=(f"ถนน/ซอย ({th})",)),
        Field(
            f"{prefix}_subdistrict", f"ตำบล ({th})", f"Sub-district ({en})", aliases=(f"ตำบล/แขวง ({th})",)
        ),
        Field(f"{prefix}_district", f"อำเภอ ({th})", f"District ({en})", aliases=(f"อำเภอ/เขต ({th})",)),
        Field(f"{prefix}_province", f"จังหวัด ({th})", f"Province ({en})"),
        Field(f"{prefix}_postcode", f"รหัสไปรษณีย์ ({th})", f"Postcode ({en})", "id"),
        Field(f"{prefix}_phone", f"หมายเลขโทรศัพท์ ({th})", f"Telephone ({en})", aliases=(f"โทรศัพท์ ({th})",)),
    )


ADDRESSES: tuple[Field, ...] = (
    *_address("reg", "ทะเบียนบ้าน", "house register"),
    *_address("cur", "ที่อยู่ปัจจุบัน", "present address"),
)
