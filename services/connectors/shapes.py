"""The shapes in which form builders wrap their fields, unwrapped to one flat list in the form's own order."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from crm.errors import Malformed
from services.connectors.exact_json import MOST_FIELDS, Tree, Value
from services.connectors.fields import NOTHING, OWN, PLAIN, Asked, asked_of, asked_of_one, asking
from services.connectors.values import at, first, records, text

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
_SUB_INPUT = re.compile(r"(\d+)\.(\d+)")
_GRAVITY_NAME = {"2": "", "3": "first", "4": "middle", "6": "last", "8": ""}  # sub-inputs of its name field

# A field that is an object of its own: its value, its name for programs, its name for people, its type.
_VALUES = ("value", "string_value", "val", "values", "answer", "answers", "a", "response")
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
_OF_A_WAY = ("value", "VALUE", "e164Phone", "phone", "number", "email", "address", "text")


_PERSON = frozenset(("phone", "email", "first", "last"))


class Entry(NamedTuple):
    """One field: its own (dotted) name, its value, and what its names say."""

    name: str
    value: Value
    asked: Asked


def entries_of(tree: Tree) -> list[Entry]:
    """Every field of a form, whichever builder sent it. Raises Malformed for more than 10,000."""
    read = next(read for fits, read in _SHAPES if fits(tree))
    entries = list(islice(read(tree), MOST_FIELDS + 1))
    if len(entries) > MOST_FIELDS:
        raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    return entries


def forms_in(tree: Tree) -> list[Tree]:
    """Usually the one. A list of objects that are no fields is a list of forms: each has its own sender."""
    items = tree.get("fields") if len(tree) == 1 else None
    if not _OF_FORMS.isdisjoint(tree):
        many = [tree[name] for name in sorted(_OF_FORMS & tree.keys())]
        alone = many[0] if len(many) == 1 else None
        items = alone if isinstance(alone, list) and len(alone) > 1 and all(map(_has_ways, alone)) else None
    if not isinstance(items, list) or any(_field(item, listed=True) for item in items if isinstance(item, dict)):
        return [tree]
    forms = [item for item in items if isinstance(item, dict)]
    return forms if len(forms) == len(items) and forms else [tree]


def _has_ways(item: Value) -> bool:
    return isinstance(item, dict) and any(asked_of((name,)).role in ("phone", "email") for name in item)


def flat(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Nested objects become dotted names; a list of plain values stays one value."""
    named = _names_its_form(tree)
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _nested(name, value, path)
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            yield from _listed(name, value, path)
        else:
            asked = asked_of_one(name, path)
            if named and asked.role == "name":
                asked = _asked("form_name")
            yield Entry(_dotted(name, path) if path else name, value, asked)


def _nested(name: str, value: Tree, path: tuple[str, ...]) -> Iterator[Entry]:
    dotted, asked = _dotted(name, path), asked_of((name,), path)
    parts = {_plain(part) for part in value}
    if parts <= _NAME_PARTS.keys() and (asked.role == "name" or {"first", "last"} <= parts):
        for part, item in value.items():
            yield Entry(f"{dotted}.{part}", item, asking(_NAME_PARTS[_plain(part)], asked.weight or PLAIN, asked.whose))
    elif asked.role == "phone" and value.keys() <= set(_PHONE_PARTS):
        digits = [part for key in _PHONE_PARTS if any(map(str.isdecimal, part := text(value, key)))]
        yield Entry(dotted, " ".join(digits), asked)
    elif asked.role in _SUMS and value.keys() <= _OF_A_SUM and (sum_ := first(value, "value", "amount")):
        yield Entry(dotted, f"{sum_} {first(value, 'currency', 'currency_code', 'currencyCode')}".strip(), asked)
    elif (found := _field(value)) is not None and not (path and path[-1].lower() == "form"):
        names, kind, inner = found
        yield Entry(dotted, inner, asked_of((name, *names), path, kind))
    else:
        yield from flat(value, (*path, name))


def _listed(name: str, items: list[Value], path: tuple[str, ...]) -> Iterator[Entry]:
    """A list of fields, each an object with its name and its value; else a list of things, each under its number."""
    asked = asked_of_one(name, path)
    if asked.role in ("phone", "email") and all(isinstance(item, dict) for item in items):
        found = [next((way for key in _OF_A_WAY if (way := text(item, key))), None) for item in items]
        if None not in found:
            yield Entry(_dotted(name, path), [*found], asked)
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
        yield Entry(names[0], value, asked_of(names, path, kind))


def _field(item: Tree, listed: bool = False) -> tuple[tuple[str, ...], str, Value] | None:
    """The names (for people first), type and value of a field that is an object of its own; None for anything else."""
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
    """What was chosen in words, where a field has its options beside it and says their ids (Tally)."""
    options = {text(one, "id"): found for one in records(field, "options") if (found := first(one, "text", "label"))}
    if not options:
        return value
    if isinstance(value, list):
        return [options.get(item, item) if isinstance(item, str) else item for item in value]
    return options.get(value, value) if isinstance(value, str) else value


def _names_its_form(tree: Tree) -> bool:
    """Whether an object's "name" is that of a form: the person is in an object beside the name (Webflow's payload)."""
    if not isinstance(tree.get("name"), str) or not any(isinstance(value, dict | list) for value in tree.values()):
        return False
    inner = [value for key, value in tree.items() if isinstance(value, dict | list) and value and _plain(key) in OWN]
    if not inner or _PERSON & {asked_of((key,)).role for key, value in tree.items() if key != "name"}:
        return False
    asked = (asked_of((key,)) for value in inner for key in _names_in(value))
    return any(one.role in _PERSON or one.role == "name" for one in asked)


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


def _asked(role: str) -> Asked:
    return asking(role, technical=True)


def _elementor(tree: Tree) -> Iterator[Entry]:
    """https://elementor.com/help/webhook: fields[x] is {id, type, title, value}, meta[x] is {title, value}."""
    for part in ("fields", "meta"):
        for name, field in tree.get(part, {}).items():  # type: ignore[union-attr]  # _is_elementor has looked
            asked = asked_of((name, text(field, "title")), () if part == "fields" else ("meta",), text(field, "type"))
            yield Entry(name if part == "fields" else f"meta.{name}", at(field, "value"), asked)
    yield from flat({name: value for name, value in tree.items() if name not in ("fields", "meta")})


def _is_elementor(tree: Tree) -> bool:
    fields, meta = tree.get("fields"), tree.get("meta", {})
    return (
        isinstance(fields, dict)
        and isinstance(meta, dict)
        and bool(fields)
        and all(isinstance(field, dict) and "value" in field for field in (*fields.values(), *meta.values()))
    )


def _typeform(tree: Tree) -> Iterator[Entry]:
    """https://www.typeform.com/developers/webhooks: an answer names its field, the definition its title."""
    response: Tree = dict(tree["form_response"])  # type: ignore[arg-type]  # entries_of has looked
    asked = {text(field, "id"): field for field in records(response, "definition", "fields")}
    yield Entry("title", at(response, "definition", "title"), _asked("form_name"))
    for answer in records(response, "answers"):
        id, kind = text(answer, "field", "id"), text(answer, "type")
        value = at(answer, kind)
        if isinstance(value, dict):  # a choice is {"label"}, several are {"labels"}
            value = value.get("labels", value.get("label", value.get("other")))
        name = text(answer, "field", "ref") or text(asked.get(id), "ref") or id
        kind = kind if kind in ("email", "phone_number") else text(answer, "field", "type")
        yield Entry(name, value, asked_of((text(asked.get(id), "title"), name), (), kind))
    yield from flat({name: value for name, value in response.items() if name not in ("definition", "answers")})
    yield from flat({name: value for name, value in tree.items() if name != "form_response"})


def _jotform(tree: Tree) -> Iterator[Entry]:
    """https://www.jotform.com/help/245: what was filled in is the JSON in rawRequest."""
    raw: Tree = tree["rawRequest"]  # type: ignore[assignment]  # entries_of has looked
    yield from flat(raw)
    yield from flat({name: value for name, value in tree.items() if name != "rawRequest" and name not in raw})


def _apps_script(tree: Tree) -> Iterator[Entry]:
    """https://developers.google.com/apps-script/guides/triggers/events: each question with the list of its answers."""
    answers: Tree = tree["namedValues"]  # type: ignore[assignment]  # entries_of has looked
    for question, given in answers.items():
        value = given[0] if isinstance(given, list) and len(given) == 1 else given
        yield Entry(question, value, asked_of((question,)))
    yield from flat({name: value for name, value in tree.items() if name not in ("namedValues", "values")})


def _gravity(tree: Tree) -> Iterator[Entry]:
    """https://docs.gravityforms.com/entry-object: fields are numbers; only a name's parts can be told by theirs."""
    parts: dict[str, set[str]] = {}
    for name in tree:
        if sub := _SUB_INPUT.fullmatch(name):
            parts.setdefault(sub[1], set()).add(sub[2])
    names = {field for field, subs in parts.items() if {"3", "6"} <= subs <= _GRAVITY_NAME.keys()}
    for name, value in tree.items():
        sub = _SUB_INPUT.fullmatch(name)
        if sub:
            yield Entry(name, value, asking(_GRAVITY_NAME[sub[2]]) if sub[1] in names else NOTHING)
        elif isinstance(value, dict | list):
            yield from flat({name: value})
        else:
            yield Entry(name, value, asked_of((name,)))


def is_gravity(tree: Tree) -> bool:
    return {"id", "form_id", "date_created"} <= tree.keys() and not any(isinstance(v, dict) for v in tree.values())


def is_order(tree: Tree) -> bool:
    """Whether a shop reports an order: with its buyer or its goods, and what it comes to."""
    return any(
        isinstance(at, dict) and ("order_key" in at or bool(_GOODS & at.keys())) and bool(_ORDERED & at.keys())
        for at in (tree, tree.get("order"), tree.get("data"), tree.get("payload"))
    )


_GOODS = frozenset(("line_items", "lineItems", "products", "order_items", "cart", "items", "goods"))
_ORDERED = frozenset(
    ("total", "total_price", "total_sum", "grand_total", "full_price", "billing", "order_number", "order_id", "client")
)
_SHAPES: tuple[tuple[Callable[[Tree], bool], Callable[[Tree], Iterator[Entry]]], ...] = (
    (_is_elementor, _elementor),
    (lambda tree: isinstance(tree.get("form_response"), dict), _typeform),
    (lambda tree: isinstance(tree.get("rawRequest"), dict), _jotform),
    (lambda tree: isinstance(tree.get("namedValues"), dict), _apps_script),
    (is_gravity, _gravity),
    (lambda _: True, flat),
)
