"""The field table and the code tables: complete, unambiguous, and found under every header that exports use."""

from __future__ import annotations

import pytest

from services.contracts.roster import codes
from services.contracts.roster.fields import (
    COLUMNS,
    FIELDS,
    STORED,
    by_key,
    field_for_header,
    required_columns,
)


def test_at_least_eighty_stored_columns_each_once() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) >= 80
    assert len({field.key for field in FIELDS}) == len(FIELDS)
    assert [field.key for field in FIELDS if field.derived] == ["school_name", "age_years", "age_months"]


def test_every_spelling_leads_to_its_own_field() -> None:
    for field in FIELDS:
        for spelling in (field.th, field.key, *field.aliases):
            assert field_for_header(spelling) is field


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("ชื่อ(อังกฤษ)", "first_name_en"),
        (" ชื่อ  (อังกฤษ) ", "first_name_en"),
        ("\ufeffรหัสโรงเรียน", "school_code"),
        ("เลขประจำตัว\u200bประชาชน", "national_id"),
        ("เลขประจ\u0e4d\u0e32ตัวประชาชน", "national_id"),
        ("เลขประจำตัวนักเรียน", "student_code"),
        ("รหัสนักเรียน", "student_code"),
        ("กลุ่มเลือด", "blood_type"),
        ("หมู่โลหิต", "blood_type"),
        ("เป็นบุตร/ธิดาลำดับที่", "child_order"),
        ("รหัสประจำบ้าน(ทะเบียนบ้าน)", "reg_house_code"),
        ("หมายเลขโทรศัพท์\n(ที่อยู่ปัจจุบัน)", "cur_phone"),
        ("รายได้ต่อเดือนของบิดา\uff08\uff09", None),
        ("ยังไม่สามารถจำหน่ายได้(3.1.8)", "cannot_discharge_yet"),
        ("อายุ (ปี)", "age_years"),
        ("gpax", "gpax"),
        ("", None),
        ("หมายเหตุ", None),
    ],
)
def test_headers_of_real_exports(header: str, key: str | None) -> None:
    found = field_for_header(header)
    assert (found.key if found else None) == key


def test_coded_fields_name_a_table_and_only_they_do() -> None:
    for field in FIELDS:
        assert (field.table is not None) == (field.kind in ("code", "flag"))
        if field.table:
            assert codes.table(field.table).labels


def test_required_columns() -> None:
    assert {"school_code", "national_id", "grade", "room", "sex", "birth_date"} < set(required_columns())
    assert by_key("year_result").required == "year_end"


def test_personal_numbers_and_sensitive_fields_are_marked() -> None:
    marked = {field.key for field in STORED if field.sensitivity == "identity"}
    assert marked == {"national_id", "father_national_id", "mother_national_id", "guardian_national_id"}
    for key in ("disability", "disadvantage", "religion", "ethnicity", "weight_kg"):
        assert by_key(key).sensitivity == "sensitive"


def test_tables_tell_their_source_and_spell_labels_one_way() -> None:
    for table in codes.tables().values():
        assert table.th
        assert table.en
        assert table.source
        assert table.certainty in {"seen", "recall", "inferred"}
        assert len(table.labels) == len(table.values)
        for value in table.values:
            assert table.label(value.label) == value.label
            owned = [
                v.label for v in table.values if codes.folded(value.label) in map(codes.folded, v.aliases)
            ]
            assert not owned, f"{table.name}: a label is another value's alias"


def test_codes_of_the_exchange() -> None:
    assert codes.table("disability").code("ออทิสติก") == "17"
    assert codes.table("disability").labels["ออทิสติก"].onec == "8"
    assert codes.table("sex").label("หญิง") == "ญ"
    assert codes.table("title").labels["เด็กชาย"].sex == "ช"
    with pytest.raises(KeyError):
        codes.table("sex").code("x")


def test_grades_in_school_order() -> None:
    labels = [grade.label for grade in codes.grades()]
    assert labels[0] == "อ.1"
    assert labels[3:5] == ["ป.1", "ป.2"]
    assert labels[-1] == "ปวช.3"
    assert [grade.order for grade in codes.grades()] == list(range(18))
    grade = codes.grade("ม.4")
    assert grade is not None
    assert (grade.code, grade.level) == ("411", "M4_6")
    assert codes.grade("อนุบาล 1") is None


def test_a_two_year_kindergarten_name_is_not_guessed() -> None:
    assert codes.table("grade").label("อนุบาล 1") is None
    assert codes.table("grade").label("อบ.1") == "อ.1"
