"""What one field of a roster is: the shape of a line of the field table. Which fields there are is told in
`pupil`, `family`, `address` and, all together, in `fields`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "id", "int", "decimal", "date", "code", "flag"]
Required = Literal["never", "always", "year_end"]
Sensitivity = Literal["plain", "personal", "identity", "sensitive"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the pupils' file (DMC export `studentInSchoolList`).

    `key` names it in code and in the canonical document; `th` is the file's header, `aliases` are the headers of older
    and newer exports. `kind` says how a value is written: `id` digits or a G-code, `date` ISO, `flag` 1/0, `code` a
    label of code table `table`. `required`: a blank is an error always, or in the year-end round only. `sensitivity`:
    `identity` is a personal number, `sensitive` falls under section 26 of the PDPA. A `derived` field changes by itself
    (an age, the school's name): it is recognised in a file and not kept.
    """

    key: str
    th: str
    en: str
    kind: Kind = "text"
    table: str | None = None
    required: Required = "never"
    sensitivity: Sensitivity = "personal"
    aliases: tuple[str, ...] = ()
    derived: bool = False


def coded(
    key: str, th: str, en: str, table: str, sensitivity: Sensitivity = "personal", *aliases: str
) -> Field:
    """A field whose values are the labels of a code table."""
    return Field(key, th, en, "code", table, sensitivity=sensitivity, aliases=aliases)


def flag(key: str, th: str, en: str, sensitivity: Sensitivity = "personal", *aliases: str) -> Field:
    """A yes/no field, written 1 or 0, empty when not answered."""
    return Field(key, th, en, "flag", "flag", sensitivity=sensitivity, aliases=aliases)
