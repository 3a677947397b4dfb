"""Names of synthetic people, drawn from the lists that the pythainlp package ships (read there, never copied here).

The lists hold given names and family names apart, so a drawn pair is no particular person's name.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

import polars as pl

_THAI: Final = re.compile(r"[\u0e01-\u0e4e]+(?: [\u0e01-\u0e4e]+)*")

ENGLISH_GIVEN: Final = pl.Series(
    [
        "Anan",
        "Apinya",
        "Arthit",
        "Benjamas",
        "Boonmee",
        "Chai",
        "Chanida",
        "Dao",
        "Ekkachai",
        "Fah",
        "Kanya",
        "Kittisak",
        "Lalita",
        "Malee",
        "Manop",
        "Narong",
        "Nattapong",
        "Nicha",
        "Orawan",
        "Pichai",
        "Ploy",
        "Prasert",
        "Rattana",
        "Sakda",
        "Sirikit",
        "Somchai",
        "Suda",
        "Tanawat",
        "Udom",
        "Wanida",
        "Wichai",
        "Yuphin",
    ]
)
ENGLISH_FAMILY: Final = pl.Series(
    [
        "Boonsri",
        "Chaiyo",
        "Dechkul",
        "Intha",
        "Jaidee",
        "Kaewkla",
        "Khamdee",
        "Leelawat",
        "Meesuk",
        "Nakorn",
        "Onsri",
        "Phromma",
        "Raksa",
        "Saelim",
        "Saetan",
        "Srisuk",
        "Thongdee",
        "Udomsin",
        "Wongsa",
        "Yodrak",
    ]
)


def _read(file_name: str) -> pl.Series:
    text = resources.files("pythainlp.corpus").joinpath(file_name).read_text(encoding="utf-8")
    return pl.Series([name for name in text.splitlines() if _THAI.fullmatch(name)])


@cache
def male() -> pl.Series:
    """Some 7,100 given names of men and boys."""
    return _read("person_names_male_th.txt")


@cache
def female() -> pl.Series:
    """Some 5,100 given names of women and girls."""
    return _read("person_names_female_th.txt")


@cache
def family() -> pl.Series:
    """Some 9,800 family names; a few hold a space (… ณ อยุธยา)."""
    return _read("family_names_th.txt")
