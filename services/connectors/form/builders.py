"""Unwraps the formats of form builders into one flat list of fields, in the form's own order."""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from crm.errors import Malformed
from services.connectors.form.field_roles import NOTHING, field_meaning, meaning_of
from services.connectors.form.shapes import Entry, flat, plain_entries, technical_field
from services.connectors.formats.exact_json import MOST_FIELDS, NESTED, Tree
from services.connectors.formats.values import at, records, text

# Without any of these a form has no builder's own shape.
_MARKS = frozenset(("fields", "form_response", "rawRequest", "namedValues", "date_created"))
_SUB_INPUT = re.compile(r"(\d+)\.(\d+)")
_GRAVITY_NAME = {"2": "", "3": "first", "4": "middle", "6": "last", "8": ""}  # sub-inputs of its name field


def entries_of(tree: Tree) -> list[Entry]:
    """Returns every field of a form, whichever builder sent it. Raises Malformed for more than 10,000."""
    if _MARKS.isdisjoint(tree):
        entries = plain_entries(tree, ()) or list(islice(flat(tree), MOST_FIELDS + 1))
    else:
        read = next(read for fits, read in _SHAPES if fits(tree))
        entries = list(islice(read(tree), MOST_FIELDS + 1))
    if len(entries) > MOST_FIELDS:
        raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    return entries


def _elementor(tree: Tree) -> Iterator[Entry]:
    """https://elementor.com/help/webhook: fields[x] is {id, type, title, value}, meta[x] is {title, value}."""
    for part in ("fields", "meta"):
        for name, field in tree.get(part, {}).items():  # type: ignore[union-attr]  # _is_elementor has looked
            path = () if part == "fields" else ("meta",)
            meaning = meaning_of((name, text(field, "title")), path, text(field, "type"))
            yield Entry(name if part == "fields" else f"meta.{name}", at(field, "value"), meaning)
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
    meaning = {text(field, "id"): field for field in records(response, "definition", "fields")}
    yield Entry("title", at(response, "definition", "title"), technical_field("form_name"))
    for answer in records(response, "answers"):
        id, kind = text(answer, "field", "id"), text(answer, "type")
        value = at(answer, kind)
        if isinstance(value, dict):  # a choice is {"label"}, several are {"labels"}
            value = value.get("labels", value.get("label", value.get("other")))
        name = text(answer, "field", "ref") or text(meaning.get(id), "ref") or id
        kind = kind if kind in ("email", "phone_number") else text(answer, "field", "type")
        yield Entry(name, value, meaning_of((text(meaning.get(id), "title"), name), (), kind))
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
        yield Entry(question, value, meaning_of((question,)))
    yield from flat({name: value for name, value in tree.items() if name not in ("namedValues", "values")})


def _gravity(tree: Tree) -> Iterator[Entry]:
    """https://docs.gravityforms.com/entry-object: fields are numbers, of which only a name's parts are known."""
    parts: dict[str, set[str]] = {}
    for name in tree:
        if sub := _SUB_INPUT.fullmatch(name):
            parts.setdefault(sub[1], set()).add(sub[2])
    names = {field for field, subs in parts.items() if {"3", "6"} <= subs <= _GRAVITY_NAME.keys()}
    for name, value in tree.items():
        sub = _SUB_INPUT.fullmatch(name)
        if sub:
            yield Entry(name, value, field_meaning(_GRAVITY_NAME[sub[2]]) if sub[1] in names else NOTHING)
        elif isinstance(value, NESTED):
            yield from flat({name: value})
        else:
            yield Entry(name, value, meaning_of((name,)))


def is_gravity(tree: Tree) -> bool:
    return "date_created" in tree and "form_id" in tree and "id" in tree and dict not in map(type, tree.values())


def is_order(tree: Tree) -> bool:
    """Whether a shop reports an order: with its buyer or its goods, and a total."""
    return not _OF_AN_ORDER.isdisjoint(tree) and any(
        isinstance(at, dict) and ("order_key" in at or bool(_GOODS & at.keys())) and bool(_ORDERED & at.keys())
        for at in (tree, tree.get("order"), tree.get("data"), tree.get("payload"))
    )


_GOODS = frozenset(("line_items", "lineItems", "products", "order_items", "cart", "items", "goods"))
_OF_AN_ORDER = _GOODS | {"order_key", "order", "data", "payload"}
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
