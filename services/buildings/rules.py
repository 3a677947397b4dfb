"""The rules of the yearly buildings round: what a record is, who may do what from which state, how a building leaves
the inventory, and the bytes that a confirmation names. Pure: no HTTP, no database, no clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from services.contracts.access import AREA, CLERK, DIRECTOR, Grant, holds
from services.contracts.refusal import Refusal

# States of a school's inventory. RECORDING is the only one in which records may change.
RECORDING, SCHOOL, AREA_TOO = "recording", "confirmed-by-school", "confirmed-by-area"
STATES = (RECORDING, SCHOOL, AREA_TOO)
LEVELS = {RECORDING: "none", SCHOOL: "school", AREA_TOO: "area"}

# The life of a building (inferred from the rules on demolition of state property): it never just vanishes.
IN_USE, REQUESTED, PERMITTED, DEMOLISHED = (
    "in-use",
    "demolition-requested",
    "demolition-permitted",
    "demolished",
)
USE_STATUS: Mapping[str, tuple[str, str]] = {
    IN_USE: ("ใช้งาน", "In use"),
    REQUESTED: ("ขอรื้อถอน", "Demolition requested"),
    PERMITTED: ("อนุญาตให้รื้อถอน", "Demolition permitted"),
    DEMOLISHED: ("รื้อถอนแล้ว", "Demolished"),
}
AT_SCHOOL, AT_AREA = "school", "area"
# (from, to) → who takes the step. The school asks and reports; the area permits, and may take its permission back.
STEPS: Mapping[tuple[str, str], tuple[str, ...]] = {
    (IN_USE, REQUESTED): (AT_SCHOOL,),
    (REQUESTED, PERMITTED): (AT_AREA,),
    (REQUESTED, IN_USE): (AT_SCHOOL, AT_AREA),
    (PERMITTED, IN_USE): (AT_AREA,),
    (PERMITTED, DEMOLISHED): (AT_SCHOOL,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """One record. `number` is the school's own running number, never reused; `type` a code of `building_type`;
    `condition` and `budget_source` labels of their tables; rooms are counts; `cost_baht` whole baht."""

    number: int
    type: str
    design: str
    rooms_design: int | None
    rooms_actual: int
    rooms_special: int
    year_built_be: int
    cost_baht: int | None
    budget_source: str
    condition: str
    use_status: str = IN_USE

    def age(self, academic_year: int) -> int:
        """Years in use in that academic year (Buddhist era)."""
        return academic_year - self.year_built_be


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, against one school: the subject of the token, and whether at the school or at its area."""

    subject: str
    at_school: bool
    at_area: bool

    @classmethod
    def of(cls, subject: str, grants: Sequence[Grant], school: str, esa: str) -> Actor:
        own = any(holds(grants, role, school=school) for role in (CLERK, DIRECTOR))
        return cls(subject, own, holds(grants, AREA, esa=esa))

    def places(self) -> tuple[str, ...]:
        return (AT_SCHOOL,) * self.at_school + (AT_AREA,) * self.at_area


def canonical(buildings: Iterable[Building]) -> bytes:
    """The inventory as the bytes a confirmation names: JSON in UTF-8, records by number, keys sorted, no blanks."""
    records = [asdict(building) for building in sorted(buildings, key=lambda one: one.number)]
    return json.dumps(records, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(buildings: Iterable[Building]) -> str:
    """SHA-256 of `canonical`, in hexadecimal."""
    return hashlib.sha256(canonical(buildings)).hexdigest()


def standing(buildings: Iterable[Building]) -> int:
    """How many are not demolished: the number that area and headquarters see."""
    return sum(building.use_status != DEMOLISHED for building in buildings)


def built_by(academic_year: int, buildings: Iterable[Building]) -> None:
    """No record may be of a year after the round's."""
    if any(building.year_built_be > academic_year for building in buildings):
        raise Refusal(
            422,
            "built-after-round",
            f"ปีที่ก่อสร้างต้องไม่เกิน พ.ศ. {academic_year}",
            f"The year of construction cannot be after {academic_year} (B.E.)",
        )


def may_record(actor: Actor, state: str) -> None:
    """Adding, changing, importing and carrying forward: the school's own people, before anything is confirmed."""
    if not actor.at_school:
        raise _not_yours(
            "บันทึกข้อมูลได้เฉพาะเจ้าหน้าที่ของโรงเรียน", "Only the school's own people record its buildings"
        )
    _unconfirmed(state)


def may_confirm(actor: Actor, state: str, *, confirmed_by: str | None) -> str:
    """The state after confirming. The school confirms first, then the area, by another person; the same confirmation
    sent twice leaves the state as it is.

    `confirmed_by`: subject of the school's confirmation, None before it."""
    if state == RECORDING and actor.at_school:
        return SCHOOL
    if state == SCHOOL and actor.at_area:
        if actor.subject == confirmed_by:
            raise Refusal(
                403,
                "same-person",
                "ผู้ยืนยันของเขตพื้นที่ต้องเป็นคนละคนกับผู้ยืนยันของโรงเรียน",
                "The area's confirmation must come from another person than the school's",
            )
        return AREA_TOO
    if (state == SCHOOL and actor.at_school) or (state == AREA_TOO and actor.at_area):
        return state
    if not actor.places():
        raise _not_yours("ยืนยันได้เฉพาะโรงเรียนและเขตพื้นที่", "Only the school and its area confirm")
    if state == RECORDING:
        raise Refusal(
            409,
            "school-not-confirmed",
            "โรงเรียนยังไม่ยืนยันข้อมูล เขตพื้นที่จึงยังยืนยันไม่ได้",
            "The school has not confirmed yet; the area confirms after it",
        )
    raise Refusal(
        409, "already-confirmed", "เขตพื้นที่ยืนยันข้อมูลนี้แล้ว", "The area has confirmed this inventory already"
    )


def may_undo(actor: Actor, state: str) -> str:
    """The state after taking a confirmation back: each level takes back its own, the area's first."""
    if state == AREA_TOO and actor.at_area:
        return SCHOOL
    if state == SCHOOL and actor.at_school:
        return RECORDING
    if state == RECORDING:
        raise Refusal(409, "not-confirmed", "ยังไม่มีการยืนยันให้ยกเลิก", "There is no confirmation to take back")
    if state == AREA_TOO and actor.at_school:
        raise Refusal(
            409,
            "confirmed-by-area",
            "เขตพื้นที่ยืนยันแล้ว ต้องให้เขตพื้นที่ยกเลิกการยืนยันของตนก่อน",
            "The area has confirmed; it must take back its own confirmation first",
        )
    raise _not_yours("ยกเลิกได้เฉพาะผู้ที่ยืนยันในระดับนั้น", "Only the level that confirmed takes it back")


def may_retire(actor: Actor, state: str, building: Building, to: str) -> None:
    """One step in the life of a building; see STEPS."""
    allowed = STEPS.get((building.use_status, to))
    if allowed is None:
        now, wanted = USE_STATUS[building.use_status], USE_STATUS[to]
        raise Refusal(
            409,
            "no-such-step",
            f"สถานะ “{now[0]}” เปลี่ยนเป็น “{wanted[0]}” โดยตรงไม่ได้",
            f"A building that is “{now[1]}” cannot become “{wanted[1]}” in one step",
        )
    if not set(allowed) & set(actor.places()):
        raise _not_yours(
            "ขั้นตอนนี้เป็นหน้าที่ของผู้อื่น", "This step is for " + " or ".join(f"the {a}" for a in allowed)
        )
    _unconfirmed(state)


def next_revision(previous: int, real_ms: int) -> int:
    """Grows with every change, also after a restore of an older database."""
    return max(previous + 1, real_ms)


def carried(previous: Iterable[Building]) -> tuple[list[Building], list[int]]:
    """(records for the new year, numbers left behind): what was demolished stays in the year it was demolished."""
    ordered = sorted(previous, key=lambda one: one.number)
    kept = [building for building in ordered if building.use_status != DEMOLISHED]
    return kept, [building.number for building in ordered if building.use_status == DEMOLISHED]


def may(actor: Actor, state: str, *, window_open: bool, confirmed_by: str | None) -> list[str]:
    """The acts open to this person now, for a page to offer."""
    if not window_open:
        return []
    acts = {
        "record": lambda: may_record(actor, state),
        "confirm": lambda: may_confirm(actor, state, confirmed_by=confirmed_by),
        "undo": lambda: may_undo(actor, state),
    }
    return [name for name, guard in acts.items() if _changes(guard, state)]


def _changes(guard: Callable[[], str | None], state: str) -> bool:
    try:
        return guard() != state
    except Refusal:
        return False


def _unconfirmed(state: str) -> None:
    if state != RECORDING:
        raise Refusal(
            409,
            "confirmed-undo-first",
            "ข้อมูลยืนยันแล้ว ต้องยกเลิกการยืนยันก่อนจึงจะแก้ไขได้",
            "This inventory is confirmed; take the confirmation back before changing it",
        )


def _not_yours(th: str, en: str) -> Refusal:
    return Refusal(403, "not-allowed", th, en)
