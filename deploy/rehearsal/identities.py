"""National IDs and G-codes for synthetic people: valid by the checksum rule and unique across the nation.

Uniqueness needs no shared state: a person's number is a bijection of (school's place in the list, person's place in the
school). Reading or judging IDs is `services.contracts.roster.identity`'s job.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]

PERSONS_PER_SCHOOL: Final = 5_200
_RUNNING: Final = 200_000_000  # 20 districts of 10^7 numbers
_STEP: Final = 123_456_787  # odd and no multiple of 5, so multiplying by it permutes the running numbers
MAX_SCHOOLS: Final = _RUNNING // PERSONS_PER_SCHOOL
_WEIGHTS: Final = np.arange(13, 1, -1, dtype=np.int64)
_POWERS: Final = 10 ** np.arange(11, -1, -1, dtype=np.int64)


def running_numbers(seed: int, school: int, persons: Ints) -> Ints:
    """Numbers in [0, 200,000,000) that no other person of any school has.

    Raises ValueError when the school or a person lies outside the space (38,461 schools of 5,200 persons).
    """
    if not 0 <= school < MAX_SCHOOLS or (persons.size and int(persons.max()) >= PERSONS_PER_SCHOOL):
        raise ValueError("no identity numbers left: too many schools, or too many persons in one")
    place = school * PERSONS_PER_SCHOOL + persons
    return np.asarray((place * _STEP + seed % _RUNNING) % _RUNNING, dtype=np.int64)


def with_check_digit(body: Ints) -> Ints:
    """13-digit numbers from 12-digit ones: c13 = (11 - sum((14 - i) * d_i) mod 11) mod 10."""
    digits = (body[:, None] // _POWERS) % 10
    return np.asarray(body * 10 + (11 - digits @ _WEIGHTS % 11) % 10, dtype=np.int64)


def national_ids(first_digit: Ints, province: Ints | int, running: Ints, district_base: int = 1) -> pl.Series:
    """13-character IDs: first digit, registrar's province (10-96), district, running number, check digit.

    `district_base` (1, 21, 41, 61) separates groups of persons that share running numbers: pupils, parents, relatives.
    """
    body = (
        first_digit * 10**11 + province * 10**9 + (district_base + running // 10**7) * 10**7 + running % 10**7
    )
    return pl.Series(with_check_digit(body)).cast(pl.String).str.zfill(13)


def g_codes(province: int, running: Ints) -> pl.Series:
    """G-codes: `G`, 2-digit BE year of issue (60-63), 2-digit province, 8-digit running number; no check digit."""
    year = 60 + running // 10**8 + 2 * (running % 2)
    return "G" + pl.Series(year * 10**10 + province * 10**8 + running % 10**8).cast(pl.String)
