"""Identity numbers: the check digit's published vector, hostile shapes, and the column judge agreeing with the scalar."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.roster.identity import check_digit, id_fault, id_faults, is_g_code, mask, normalise_id

_TWELVE = st.text("0123456789", min_size=12, max_size=12)
_HOSTILE = st.one_of(
    st.text(max_size=20),
    st.text("0123456789G", min_size=11, max_size=14),
    st.text("๐๑๒๓๔๕๖๗๘๙0123456789-", min_size=12, max_size=17),
    _TWELVE.map(lambda digits: digits + str(check_digit(digits))),
    st.text("0123456789", min_size=13, max_size=13),
    _TWELVE.map("G{}".format),
    _TWELVE.map(lambda digits: digits + "\n"),
)


def test_published_vector() -> None:
    assert check_digit("111203456356") == 2
    assert id_fault("1112034563562") is None


@given(_TWELVE, st.integers(0, 9))
def test_exactly_one_last_digit_is_right(digits: str, last: int) -> None:
    fault = id_fault(f"{digits}{last}")
    assert fault == (None if last == check_digit(digits) else "checksum")


@given(_TWELVE, st.integers(0, 10))
def test_two_swapped_neighbours_that_differ_in_weight_are_noticed(digits: str, place: int) -> None:
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    number = swapped + str(check_digit(digits))
    difference = int(digits[place + 1]) - int(digits[place])
    if difference % 11 not in (0, 10, 1):
        assert id_fault(number) == "checksum"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "missing"),
        ("G644200000001", None),
        ("g644200000001", "format"),
        ("G64420000000", "format"),
        ("1.11203E+12", "format"),
        ('="1112034563562"', "format"),
        ("1112034563563", "checksum"),
        ("111203456356", "format"),
        ("1112034563562\n", "format"),
        ("๑๑๑๒๐๓๔๕๖๓๕๖๒", "format"),
        ("0000000000001", None),
    ],
)
def test_faults(text: str, fault: str | None) -> None:
    assert id_fault(text) == fault


@given(st.lists(_HOSTILE, max_size=40))
def test_column_judge_agrees(texts: list[str]) -> None:
    frame = pl.DataFrame({"national_id": texts}, schema={"national_id": pl.String})
    assert frame.select(id_faults("national_id")).to_series().to_list() == [id_fault(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "1-1120-34563-56-2",
        "'1112034563562",
        " 1112034563562 ",
        "๑๑๑๒๐๓๔๕๖๓๕๖๒",
        "1 1120 34563 56 2",
        "1112034563562\u200b",
    ],
)
def test_common_ways_to_write_one_number(text: str) -> None:
    assert normalise_id(text) == "1112034563562"


def test_what_is_no_number_stays() -> None:
    assert normalise_id(" 1.1E+12 ") == "1.1E+12"
    assert normalise_id("ไม่มี-") == "ไม่มี-"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise_id(normalise_id(text)) == normalise_id(text)


def test_g_codes() -> None:
    assert is_g_code("G644200000001")
    assert not is_g_code("1112034563562")


def test_mask_shows_the_last_three_only() -> None:
    assert mask("1112034563562") == "x-xxxx-xxxxx-56-2"
    assert mask("G644200000123") == "x-xxxx-xxxxx-12-3"


@given(st.text())
def test_mask_never_shows_a_malformed_value(text: str) -> None:
    masked = mask(text)
    assert len(masked) == 17
    assert id_fault(text) in (None, "checksum") or set(masked) == {"x", "-"}
