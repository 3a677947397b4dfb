"""Pieces of SQL that more than one service needs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

T = TypeVar("T")


def is_one_of(column: sa.ColumnElement[T], values: Collection[T]) -> sa.ColumnElement[bool]:
    """Whether the column holds one of the values: one parameter and one plan, however many they are."""
    return column == sa.any_(sa.literal(list(values), ARRAY(column.type)))
