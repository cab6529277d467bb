"""Flattens nested and listed fields into one list in the form's own order, whichever program sent them."""

from collections.abc import Iterator
from typing import NamedTuple

from services.connectors.formats.exact_json import NESTED, Tree, Value, is_flat
from services.connectors.formats.nested_names import cached_by_names
from services.connectors.formats.values import first, records, text
from services.connectors.submissions.field_roles import (
    OWN,
    PLAIN,
    FieldMeaning,
    field_meaning,
    meaning_of,
    meaning_of_one,
)

_NAME_PARTS = {
    **dict.fromkeys(("prefix", "suffix", "middleinitial", "firstandlast"), ""),
    **dict.fromkeys(("first", "firstname", "given"), "first"),
    **dict.fromkeys(("middle", "middlename"), "middle"),
    **dict.fromkeys(("last", "lastname", "family"), "last"),
}
_PHONE_PARTS = (
    "country_code",
    "countryCode",
    "dial_code",
    "code",
    "prefix",
    "country",
    "area",
    "phone",
    "number",
    "full",
)

# A field that is an object of its own: its value, its name for programs, its name for people, its type.
_VALUES = ("value", "string_value", "val", "values", "answer", "answers", "a", "response")
_VALUE_NAMES = frozenset(_VALUES)
_ALONE = _VALUES[:3]  # outside of a list the others may hold whole forms
_NAMES = ("name", "key", "column_id", "id", "ref", "slug", "field", "field_name", "field_id")
_TITLES = ("title", "label", "question", "q", "column_name", "caption", "text", "placeholder")
_KINDS = ("type", "field_type", "kind")
_BESIDES = ("raw_value", "required", "order", "options", "custom", "versions", "timestamp", "source", "objectTypeId")
_OF_A_FIELD = frozenset((*_VALUES, *_NAMES, *_TITLES, *_KINDS, *_BESIDES))
_OF_A_THING = frozenset(("price", "quantity", "qty", "total", "sku", "cost", "amount", "product_id"))
_OF_FORMS = frozenset(("leads", "submissions", "entries", "records", "forms", "applications", "requests", "data"))
_SUMS = ("amount", "sum", "price")
_OF_A_SUM = frozenset(("value", "amount", "currency", "currency_code", "currencyCode", "formatted"))
_IDENTIFIER_KEYS = ("value", "VALUE", "e164Phone", "phone", "number", "email", "address", "text")


_PERSON = frozenset(("phone", "email", "first", "last"))


class Entry(NamedTuple):
    """One field: its dotted name, its value, and its meaning."""

    name: str
    value: Value
    meaning: FieldMeaning


def plain_entries(tree: Tree, path: tuple[str, ...]) -> list[Entry]:
    """Returns the fields of a flat object; empty for a nested one."""
    if not is_flat(tree.values()):
        return []
    names, meaning = _fields_of(tuple(tree), path)
    return list(map(Entry, names, tree.values(), meaning))


def forms_in(tree: Tree) -> list[Tree]:
    """Returns the forms in a body, usually one. A list of objects that are no fields is a list of forms."""
    if len(tree) > 1 and _OF_FORMS.isdisjoint(tree):
        return [tree]
    items = tree.get("fields") if len(tree) == 1 else None
    if not _OF_FORMS.isdisjoint(tree):
        many = [tree[name] for name in sorted(_OF_FORMS & tree.keys())]
        alone = many[0] if len(many) == 1 else None
        items = alone if isinstance(alone, list) and len(alone) > 1 and all(map(_has_identifier, alone)) else None
    if not isinstance(items, list) or any(_field(item, listed=True) for item in items if isinstance(item, dict)):
        return [tree]
    forms = [item for item in items if isinstance(item, dict)]
    return forms if len(forms) == len(items) and forms else [tree]


def _has_identifier(item: Value) -> bool:
    return isinstance(item, dict) and any(meaning_of((name,)).role in ("phone", "email") for name in item)


def flat(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Yields the fields of nested objects under dotted names; a list of plain values stays one value."""
    if plain := plain_entries(tree, path):
        yield from plain
        return
    named = _names_its_form(tree)
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _nested(name, value, path)
        elif isinstance(value, list) and not is_flat(value):
            yield from _listed(name, value, path)
        else:
            meaning = meaning_of_one(name, path)
            if named and meaning.role == "name":
                meaning = technical_field("form_name")
            yield Entry(_dotted(name, path) if path else name, value, meaning)


@cached_by_names
def _fields_of(names: tuple[str, ...], path: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[FieldMeaning, ...]]:
    """Returns the dotted names and the meanings of an object's fields."""
    return tuple(_dotted(name, path) for name in names), tuple(meaning_of_one(name, path) for name in names)


def _nested(name: str, value: Tree, path: tuple[str, ...]) -> Iterator[Entry]:
    dotted, meaning = _dotted(name, path), meaning_of_one(name, path)
    begins_as_name = _plain(next(iter(value))) in _NAME_PARTS
    if begins_as_name and (person := _parts_of_a_name(tuple(value), meaning)):
        for (part, item), one in zip(value.items(), person, strict=True):
            yield Entry(f"{dotted}.{part}", item, one)
    elif meaning.role == "phone" and value.keys() <= set(_PHONE_PARTS):
        digits = [part for key in _PHONE_PARTS if any(map(str.isdecimal, part := text(value, key)))]
        yield Entry(dotted, " ".join(digits), meaning)
    elif meaning.role in _SUMS and value.keys() <= _OF_A_SUM and (sum_ := first(value, "value", "amount")):
        yield Entry(dotted, f"{sum_} {first(value, 'currency', 'currency_code', 'currencyCode')}".strip(), meaning)
    elif (found := _field(value)) is not None and not (path and path[-1].lower() == "form"):
        names, kind, inner = found
        yield Entry(dotted, inner, meaning_of((name, *names), path, kind))
    else:
        yield from flat(value, (*path, name))


@cached_by_names
def _parts_of_a_name(parts: tuple[str, ...], meaning: FieldMeaning) -> list[FieldMeaning]:
    """Returns the meanings of the parts of a person's name; none for any other object."""
    roles = [_NAME_PARTS.get(_plain(part)) for part in parts]
    if None in roles or not (meaning.role == "name" or {"first", "last"} <= {*map(_plain, parts)}):
        return []
    return [field_meaning(role or "", meaning.weight or PLAIN, meaning.whose) for role in roles]


def _listed(name: str, items: list[Value], path: tuple[str, ...]) -> Iterator[Entry]:
    """Yields a list of fields, each an object with name and value; any other list under the numbers of its items."""
    meaning = meaning_of_one(name, path)
    if meaning.role in ("phone", "email") and all(isinstance(item, dict) for item in items):
        found = [next((way for key in _IDENTIFIER_KEYS if (way := text(item, key))), None) for item in items]
        if None not in found:
            yield Entry(_dotted(name, path), [*found], meaning)
            return
    fields = [_field(item, listed=True) if isinstance(item, dict) else None for item in items]
    if all(field is not None for field in fields):
        for at_item, field in enumerate(fields):
            names, kind, value = field or ((), "", None)
            value = _chosen(items[at_item], value)
            if isinstance(value, list):
                value = [item.get("value", item) if isinstance(item, dict) else item for item in value]
                value = value[0] if len(value) == 1 and not isinstance(value[0], list) else value
            yield from flat_field(names, value, kind, path)
        return
    for number, item in enumerate(items):
        yield from flat({str(number): item}, (*path, name))


def flat_field(names: tuple[str, ...], value: Value, kind: str, path: tuple[str, ...]) -> Iterator[Entry]:
    if isinstance(value, dict) and value:
        yield from _nested(names[0], value, path)
    else:
        yield Entry(names[0], value, meaning_of(names, path, kind))


def _field(item: Tree, listed: bool = False) -> tuple[tuple[str, ...], str, Value] | None:
    """Returns names (for people first), type and value of a field that is an object; None for any other object."""
    if _VALUE_NAMES.isdisjoint(item):
        return None
    key = next((key for key in (_VALUES if listed else _ALONE) if key in item), None)
    if key is None or (not listed and (isinstance(item[key], dict) or not item.keys() <= _OF_A_FIELD)):
        return None
    if listed and _OF_A_THING & item.keys():
        return None
    titles = tuple(found for key in _TITLES if (found := text(item, key)))
    names = tuple(found for key in _NAMES if (found := text(item, key)))
    if listed and not (titles or names):
        return None
    kind = next((found for key in _KINDS if (found := text(item, key))), "")
    return (*titles, *names), kind, item[key]


def _chosen(field: Value, value: Value) -> Value:
    """Returns the chosen options in words, where a field lists its options and its value has their ids (Tally)."""
    options = {text(one, "id"): found for one in records(field, "options") if (found := first(one, "text", "label"))}
    if not options:
        return value
    if isinstance(value, list):
        return [options.get(item, item) if isinstance(item, str) else item for item in value]
    return options.get(value, value) if isinstance(value, str) else value


_REACH = frozenset(["contact", "contacts", "contactinfo", "contactdata", "contactdetails"])


def _names_its_form(tree: Tree) -> bool:
    """Whether an object's "name" is that of a form: the person is in an object next to the name (Webflow's payload)."""
    if not isinstance(tree.get("name"), str) or is_flat(tree.values()):
        return False
    inner = [value for key, value in tree.items() if isinstance(value, NESTED) and value and _plain(key) in OWN]
    if not inner or _PERSON & {meaning_of((key,)).role for key, value in tree.items() if key != "name"}:
        return False
    roles = {meaning_of((key,)).role for value in inner for key in _names_in(value)}
    if "name" not in roles and all(_plain(key) in _REACH for key, value in tree.items() if isinstance(value, NESTED)):
        return False  # {"name": "Олена", "contacts": {"phone": …}}
    return bool(roles & {*_PERSON, "name"})


def _names_in(value: Value) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and (field := _field(item, listed=True)):
                yield from field[0]


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _dotted(name: str, path: tuple[str, ...]) -> str:
    return ".".join((*path, name)) if path else name


def technical_field(role: str) -> FieldMeaning:
    """Returns the meaning of a field that a program filled in."""
    return field_meaning(role, technical=True)
