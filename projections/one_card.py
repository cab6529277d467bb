"""Combines a card with those merged into it: fills empty fields from them and lists conflicting values."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import msgspec
from msgspec.structs import replace

from crm.projection import Json

OWN = ""  # key of the card's own data in `sources`
NULL = "null"  # JSON text


class CardData(msgspec.Struct, frozen=True, omit_defaults=True):
    """The data of one card. `doubts`: by identifier, ids of other cards seen with it; "" if declared to be nobody's."""

    name: str = ""
    fields: dict[str, str] = {}
    doubts: dict[str, list[str]] = {}

    @classmethod
    def own(cls, name: str, fields: Json, doubted: Json, sources: Json) -> Self:
        """Returns the card's own data from the columns of its row, which are the data itself unless it was merged."""
        if OWN in sources:
            return msgspec.json.decode(sources[OWN], type=cls)
        return cls(name, fields, {key: msgspec.json.decode(text) for key, text in doubted.items()})

    @classmethod
    def others(cls, sources: Json) -> dict[str, Self]:
        """Returns the data of the merged cards by id."""
        return {id: msgspec.json.decode(text, type=cls) for id, text in sources.items() if id != OWN}

    def changed(self, given: Json, others: Mapping[str, "CardData"]) -> "CardData":
        """Sets fields. null removes a field; it is kept when it must also hide the field of a merged card."""
        theirs = {name for other in others.values() for name in other.fields}
        fields = {**self.fields, **given}
        return replace(self, fields={n: text for n, text in fields.items() if text != NULL or n in theirs})

    def with_doubt(self, key: str, other: str) -> "CardData":
        return replace(self, doubts={**self.doubts, key: sorted({*self.doubts.get(key, ()), other})})

    def without_doubt(self, key: str) -> "CardData":
        return replace(self, doubts={one: ids for one, ids in self.doubts.items() if one != key})


class ShownCard(NamedTuple):
    """The columns of the combined card."""

    name: str
    fields: Json
    doubted: Json
    conflicts: Json
    sources: Json


def with_other(others: Mapping[str, CardData], id: str, name: str, fields: Json) -> dict[str, CardData]:
    return {**others, id: CardData(name, fields)}


def without_other(others: Mapping[str, CardData], id: str) -> dict[str, CardData]:
    return {other: card for other, card in others.items() if other != id}


def shown_card(own: CardData, others: Mapping[str, CardData]) -> ShownCard:
    """Combines the card's own values with those of the others, which follow in the order of their ids."""
    cards = [own, *(others[id] for id in sorted(others))]
    fields: Json = {}
    conflicts: Json = {}
    for name in sorted({name for card in cards for name in card.fields}):
        values = list(dict.fromkeys(card.fields[name] for card in cards if name in card.fields))
        fields[name] = values[0]
        if len(values) > 1 and NULL not in values:
            conflicts[f"fields.{name}"] = f"[{', '.join(values)}]"
    names = {" ".join(card.name.casefold().split()): card.name for card in reversed(cards) if card.name}
    if len(names) > 1:
        conflicts["name"] = text_of([*reversed(names.values())])
    left = {key: [id for id in ids if id not in others] for key, ids in own.doubts.items()}
    return ShownCard(
        name=next((card.name for card in cards if card.name), ""),
        fields={name: text for name, text in fields.items() if text != NULL},
        doubted={key: text_of(ids) for key, ids in left.items() if ids},
        conflicts=conflicts,
        sources={id: text_of(card) for id, card in ((OWN, own), *sorted(others.items()))} if others else {},
    )


def text_of(value: object) -> str:
    """Returns a value as JSON text."""
    return msgspec.json.encode(value).decode()
