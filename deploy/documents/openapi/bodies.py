"""The bodies that services take, as JSON Schema: apispec's marshmallow plugin, and what it cannot see in our own fields.

A limit that a field keeps in code of its own (text trimmed and measured, a label of a code table) is told here from the
field's attributes, so that it stands in one place.
"""

from __future__ import annotations

from typing import Any, Final

from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields
from marshmallow.schema import Schema

from services.buildings import schemas as buildings
from services.contracts.roster.codes import table
from services.dedup import schemas as dedup

_END: Final = r"\Z"


class Bodies(MarshmallowPlugin):
    """The plugin, with our fields."""

    def init_spec(self, spec: Any) -> None:
        super().init_spec(spec)
        assert self.converter is not None, "made by the plugin's own init_spec"
        self.converter.add_attribute_function(_limits)  # type: ignore[no-untyped-call]


def name_of(schema: Schema | type[Schema]) -> str:
    """A body's name among the shapes; one of which any part may be missing is a change."""
    cls = schema if isinstance(schema, type) else type(schema)
    partial = not isinstance(schema, type) and schema.partial
    return cls.__name__.removesuffix("Schema") + ("Change" if partial else "")


def _limits(_: Any, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    if ret.get("default") == "":  # the same as not there, and seldom a value that could be sent
        del ret["default"]
    if isinstance(field, dedup.Sentence):
        shortest, longest = dedup.SENTENCE_LENGTH
        return {"minLength": shortest, "maxLength": longest}
    if isinstance(field, dedup.Code):
        words = "".join(f"|{word}" for word in field.also)
        return {"pattern": f"^([0-9]{{1,10}}{words})$"}
    if isinstance(field, dedup.Whole):
        return {"minimum": field.low, "maximum": field.high}
    if isinstance(field, buildings.Line):
        return _line(field)
    # Python's end of text is not everybody's
    pattern = ret.get("pattern", "")
    return {"pattern": f"^{pattern.removesuffix(_END)}$"} if pattern.endswith(_END) else {}


def _line(field: buildings.Line) -> dict[str, Any]:
    if isinstance(field, buildings.Label):
        blank = [] if field.required else [""]
        return {"enum": [*blank, *table(field.table).labels], "description": f"code table {field.table}"}
    if isinstance(field, buildings.BuildingType):
        known = {value.code: value.label for value in table(field.table).values}
        return {"enum": list(known), "description": ", ".join(f"{code} {th}" for code, th in known.items())}
    return {"minLength": field.shortest, "maxLength": field.longest}
