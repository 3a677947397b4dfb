"""Column-wise drawing: whole columns of text from weighted choices and look-up tables, never value by value.

A column is a polars Series of strings as a file shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from deploy.rehearsal.identities import Ints
from services.contracts.roster import codes

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Columns = dict[str, pl.Series]

FIRST_DAY: Final = date(1975, 1, 1)
_EPOCH: Final = date(1970, 1, 1)


class Choice:
    """A weighted choice among labels; every label must be in code table `table`, when one is named."""

    def __init__(self, weights: Mapping[str, float], table: str | None = None) -> None:
        """Raises ValueError for a label that the table does not have: the tables change from year to year."""
        if table is not None and (strange := set(weights) - {"", *codes.table(table).labels}):
            raise ValueError(f"code table {table} has no label {sorted(strange)}")
        self.labels = pl.Series(list(weights))
        shares = np.fromiter(weights.values(), dtype=np.float64)
        self._upper: Floats = np.cumsum(shares / shares.sum())

    def places(self, rng: np.random.Generator, count: int) -> Ints:
        """`count` drawn places in `labels`."""
        drawn = np.searchsorted(self._upper, rng.random(count), side="right")
        return np.asarray(np.minimum(drawn, len(self.labels) - 1), dtype=np.int64)

    def column(self, rng: np.random.Generator, count: int) -> pl.Series:
        """`count` drawn labels."""
        return take(self.labels, self.places(rng, count))


def take(table: pl.Series, places: Ints) -> pl.Series:
    """The values of a look-up table at these places."""
    return table.gather(pl.Series(places))


def text(numbers: Ints) -> pl.Series:
    """Whole numbers as text."""
    return pl.Series(numbers).cast(pl.String)


def constant(value: str, count: int) -> pl.Series:
    """The same text in every row."""
    return pl.repeat(value, count, eager=True, dtype=pl.String)


def where(mask: Bools, yes: pl.Series | str, no: pl.Series | str) -> pl.Series:
    """`yes` where the mask holds, else `no`."""
    count = len(mask)
    first = constant(yes, count) if isinstance(yes, str) else yes
    second = constant(no, count) if isinstance(no, str) else no
    return first.zip_with(pl.Series(mask), second)


@cache
def decimals(step: int, digits: int, largest: int) -> pl.Series:
    """Texts of 0, 1/step, 2/step … up to `largest`, with at most so many digits: a table to take from."""
    texts = [f"{number / step:.{digits}f}" for number in range(largest * step + 1)]
    return pl.Series([shown.rstrip("0").rstrip(".") if digits else shown for shown in texts])


@cache
def be_dates(padded: bool) -> pl.Series:
    """Texts of the days from 1975 on in the Buddhist Era: 05/11/2553, or 5/11/2553 unpadded."""
    days = (FIRST_DAY + timedelta(days=number) for number in range(18_000))
    if padded:
        return pl.Series([f"{day.day:02d}/{day.month:02d}/{day.year + 543}" for day in days])
    return pl.Series([f"{day.day}/{day.month}/{day.year + 543}" for day in days])


def be_date_column(days: Ints, *, padded: bool) -> pl.Series:
    """Dates (days since 1970) as text of the Buddhist Era."""
    return take(be_dates(padded), days - (FIRST_DAY - _EPOCH).days)
