"""The schools of a synthetic nation: read from the public list, or made up in the same shape where it is absent.

The public list is read where it lies and never copied into the project. Which pupils a school has is `sizes`' and
`pupils`' job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from deploy.rehearsal.provinces import CODES, NAMES

HEADER: Final = ("province", "esa_code", "esa_name", "smis8", "school_id10", "name_th", "levels_taught")
PUBLIC_LIST: Final = Path("../shared/data/schools-2022-09.tsv")
KP: Final = "อนุบาล-ประถมศึกษา"
KM3: Final = "อนุบาล-มัธยมศึกษาตอนต้น"
SECONDARY: Final = "มัธยมศึกษาตอนต้น-มัธยมศึกษาตอนปลาย"

# Made-up lists: (levels, schools of a thousand in primary areas), after the counts of the public list.
_PRIMARY_LEVELS: Final = (
    (KP, 729),
    (KM3, 240),
    ("ประถมศึกษา", 22),
    ("ประถมศึกษา-มัธยมศึกษาตอนต้น", 5),
    ("อนุบาล-มัธยมศึกษาตอนปลาย", 4),
)
_SCHOOLS: Final = 29_579
_SECONDARY_SCHOOLS: Final = 2_390
_PRIMARY_ESAS: Final = 183
_SECONDARY_ESAS: Final = 42
_HEADS: Final = (
    "หนอง",
    "โคก",
    "ดอน",
    "ท่า",
    "ห้วย",
    "คลอง",
    "บึง",
    "นา",
    "โนน",
    "วัง",
    "ป่า",
    "ไผ่",
    "เนิน",
    "ทุ่ง",
    "ลาด",
    "สระ",
)
_TAILS: Final = (
    "บัว",
    "แก",
    "ยาง",
    "ตะเคียน",
    "ไทร",
    "ขาม",
    "แดง",
    "ใหญ่",
    "น้อย",
    "สูง",
    "แขม",
    "โพธิ์",
    "สัก",
    "มะกอก",
    "ช้าง",
    "ปลาไหล",
    "หวาย",
    "กระทุ่ม",
    "งาม",
    "ทอง",
)


@dataclass(frozen=True, slots=True)
class School:
    """A line of the list. `smis8` and `code` are text: two real codes have 9 digits, and ESA and levels may be blank."""

    province: str
    esa: str
    esa_name: str
    smis8: str
    code: str
    name: str
    levels: str

    @property
    def province_code(self) -> int:
        """The interior ministry's province code (10-96); Bangkok's for a province that the table does not know."""
        return CODES.get(self.province, 10)

    @property
    def secondary(self) -> bool:
        """Under a secondary ESA (6-digit code) or the special-education bureau."""
        return len(self.esa) == 6


def read(path: Path) -> list[School]:
    """The schools of a tab-separated list with the columns of `HEADER`, in its order.

    Raises OSError when it cannot be read, ValueError when it is another kind of file (UnicodeDecodeError is one).
    """
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8-sig").splitlines() if line]
    if not rows or tuple(rows[0]) != HEADER:
        raise ValueError(f"{path.name}: the header is not {' '.join(HEADER)}")
    if any(len(row) != len(HEADER) for row in rows):
        raise ValueError(f"{path.name}: a row has not {len(HEADER)} cells")
    return [School(*row) for row in rows[1:]]


def write(schools: Iterable[School], path: Path) -> None:
    """Write schools as a list of the same shape: tabs between, no quoting, since names hold quotes themselves."""
    lines = ("\t".join(row) for row in (HEADER, *(astuple(school) for school in schools)))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def find(path: Path | None) -> Path | None:
    """The list to use: the one named, else `TABIAN_SCHOOLS`, else the public list if it is there, else None."""
    named = path or (Path(os.environ["TABIAN_SCHOOLS"]) if os.environ.get("TABIAN_SCHOOLS") else None)
    if named is not None:
        return named
    return PUBLIC_LIST if PUBLIC_LIST.is_file() else None


def make(seed: int, schools: int = _SCHOOLS) -> list[School]:
    """A made-up list: 183 primary and 42 secondary areas, names and codes built like the real ones."""
    rng = np.random.default_rng([seed, 1])
    secondary = round(schools * _SECONDARY_SCHOOLS / _SCHOOLS)
    numbers = dict.fromkeys(NAMES, 0)
    rows = [
        *_area_schools(rng, _primary_areas(), schools - secondary, numbers, 1),
        *_area_schools(rng, _secondary_areas(), secondary, numbers, 2001),
    ]
    return sorted(rows, key=lambda school: (school.province_code, school.esa, school.smis8))


def _primary_areas() -> list[tuple[int, str, str]]:
    """(province, ESA code, ESA name); the largest provinces of the register have up to seven areas, the small one."""
    provinces = sorted(NAMES)
    extra = _PRIMARY_ESAS - len(provinces)
    areas = []
    for place, province in enumerate(provinces):
        count = 1 + extra // len(provinces) + (place < extra % len(provinces))
        for number in range(1, count + 1):
            areas.append((province, f"{province}{number:02d}", f"สพป.{NAMES[province]} เขต {number}"))
    return areas


def _secondary_areas() -> list[tuple[int, str, str]]:
    """(province, ESA code, ESA name); most secondary areas span two provinces."""
    return [
        (province, f"1017{1 + place % _SECONDARY_ESAS:02d}", f"สพม.เขต {1 + place % _SECONDARY_ESAS}")
        for place, province in enumerate(sorted(NAMES))
    ]


def _area_schools(
    rng: np.random.Generator,
    areas: Sequence[tuple[int, str, str]],
    schools: int,
    numbers: dict[int, int],
    first: int,
) -> list[School]:
    weights = rng.lognormal(0.0, 0.35, len(areas))
    counts = np.floor(weights / weights.sum() * (schools - len(areas))).astype(int) + 1
    counts[: schools - int(counts.sum())] += 1
    alphabetical = {code: place for place, code in enumerate(sorted(NAMES, key=NAMES.__getitem__), start=1)}
    rows = []
    for (province, esa, esa_name), count in zip(areas, counts, strict=True):
        names = _names(rng, int(count), secondary=first > 1)
        levels = _levels(rng, int(count), secondary=first > 1)
        for place in range(int(count)):
            numbers[province] += 1
            running = numbers[province]
            smis = f"{esa}{first + place:04d}" if first == 1 else f"{province}01{2000 + running % 1000:04d}"
            code = f"10{province}{alphabetical[province]:02d}{running:04d}"
            rows.append(School(NAMES[province], esa, esa_name, smis, code, names[place], levels[place]))
    return rows


def _levels(rng: np.random.Generator, count: int, *, secondary: bool) -> list[str]:
    if secondary:
        return [SECONDARY] * count
    weights = np.array([weight for _, weight in _PRIMARY_LEVELS], dtype=float)
    drawn = rng.choice(len(_PRIMARY_LEVELS), size=count, p=weights / weights.sum())
    return [_PRIMARY_LEVELS[int(place)][0] for place in drawn]


def _names(rng: np.random.Generator, count: int, *, secondary: bool) -> list[str]:
    """Names as dominated by บ้าน… (62 %) and วัด… (15 %) as the real ones, and as little unique."""
    heads = rng.integers(len(_HEADS), size=count)
    tails = rng.integers(len(_TAILS), size=count)
    kinds = rng.random(count)
    return [
        _name(_HEADS[head] + _TAILS[tail], float(kind), secondary)
        for head, tail, kind in zip(heads, tails, kinds, strict=True)
    ]


def _name(place: str, kind: float, secondary: bool) -> str:
    if secondary:
        return place + ("วิทยา" if kind < 0.4 else "พิทยาคม" if kind < 0.8 else "วิทยาคาร")
    for share, form in ((0.62, "บ้าน{}"), (0.77, "วัด{}"), (0.85, "ชุมชน{}"), (0.9, "อนุบาล{}")):
        if kind < share:
            return form.format(place)
    return place + "วิทยา"
