"""What one card shows of itself and of those that were merged into it: filled up, and conflicts beside each other."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import msgspec
from msgspec.structs import replace

from crm.projection import Json

OWN = ""  # where the sources keep what the card says by itself
NULL = "null"  # JSON text


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one card says by itself. `doubts`: for each identifier, the cards that it was seen with too; the empty id
    when somebody said that it is nobody's."""

    name: str = ""
    fields: dict[str, str] = {}
    doubts: dict[str, list[str]] = {}

    @classmethod
    def own(cls, name: str, fields: Json, doubted: Json, sources: Json) -> Self:
        """Of a row. Without a merge the row itself is what its card says."""
        if OWN in sources:
            return msgspec.json.decode(sources[OWN], type=cls)
        return cls(name, fields, {key: msgspec.json.decode(text) for key, text in doubted.items()})

    @classmethod
    def others(cls, sources: Json) -> dict[str, Self]:
        return {id: msgspec.json.decode(text, type=cls) for id, text in sources.items() if id != OWN}

    def changed(self, given: Json, others: Mapping[str, "Said"]) -> "Said":
        """null takes a field away, also one that another card shows here: then it is remembered."""
        theirs = {name for other in others.values() for name in other.fields}
        fields = {**self.fields, **given}
        return replace(self, fields={n: text for n, text in fields.items() if text != NULL or n in theirs})

    def doubting(self, key: str, other: str) -> "Said":
        return replace(self, doubts={**self.doubts, key: sorted({*self.doubts.get(key, ()), other})})

    def certain(self, key: str) -> "Said":
        return replace(self, doubts={one: ids for one, ids in self.doubts.items() if one != key})


class Shown(NamedTuple):
    """The columns that it makes."""

    name: str
    fields: Json
    doubted: Json
    conflicts: Json
    sources: Json


def with_other(others: Mapping[str, Said], id: str, name: str, fields: Json) -> dict[str, Said]:
    return {**others, id: Said(name, fields)}


def without_other(others: Mapping[str, Said], id: str) -> dict[str, Said]:
    return {one: said for one, said in others.items() if one != id}


def shown(own: Said, others: Mapping[str, Said]) -> Shown:
    """The card's own values, then those of the others in the order of their ids."""
    said = [own, *(others[id] for id in sorted(others))]
    fields: Json = {}
    conflicts: Json = {}
    for name in sorted({name for one in said for name in one.fields}):
        values = list(dict.fromkeys(one.fields[name] for one in said if name in one.fields))
        fields[name] = values[0]
        if len(values) > 1 and NULL not in values:
            conflicts[f"fields.{name}"] = f"[{', '.join(values)}]"
    names = {" ".join(one.name.casefold().split()): one.name for one in reversed(said) if one.name}
    if len(names) > 1:
        conflicts["name"] = text_of([*reversed(names.values())])
    left = {key: [id for id in ids if id not in others] for key, ids in own.doubts.items()}
    return Shown(
        name=next((one.name for one in said if one.name), ""),
        fields={name: text for name, text in fields.items() if text != NULL},
        doubted={key: text_of(ids) for key, ids in left.items() if ids},
        conflicts=conflicts,
        sources={id: text_of(one) for id, one in ((OWN, own), *sorted(others.items()))} if others else {},
    )


def text_of(value: object) -> str:
    return msgspec.json.encode(value).decode()
