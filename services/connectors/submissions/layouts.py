"""Unwraps the layouts that form builders use into one flat list of fields, in the form's own order."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from crm.errors import Malformed
from services.connectors.formats.exact_json import MOST_FIELDS, NESTED, Tree
from services.connectors.formats.nested_names import cached_by_names
from services.connectors.formats.values import at, records, text
from services.connectors.submissions.field_roles import (
    NOTHING,
    FieldMeaning,
    field_meaning,
    meaning_of,
    meaning_of_one,
)
from services.connectors.submissions.shapes import Entry, flat, plain_entries, technical_field

# Without any of these a form has no layout of its own.
_MARKS = frozenset(("fields", "form_response", "rawRequest", "namedValues", "date_created"))
_SUB_INPUT = re.compile(r"(\d+)\.(\d+)")
_NAME_PARTS = {"2": "", "3": "first", "4": "middle", "6": "last", "8": ""}  # sub-inputs of its name field


def entries_of(tree: Tree) -> Iterable[Entry]:
    """Returns every field of a form, whichever builder sent it."""
    if _MARKS.isdisjoint(tree):
        return plain_entries(tree, ()) or flat(tree)
    return next(read for fits, read in _SHAPES if fits(tree))(tree)


def listed(entries: Iterable[Entry]) -> list[Entry]:
    """Returns the fields as a list. Raises Malformed for more than 10,000."""
    found = list(islice(entries, MOST_FIELDS + 1))
    if len(found) > MOST_FIELDS:
        raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    return found


def titled_fields(tree: Tree) -> Iterator[Entry]:
    """Yields fields[x], which are {id, type, title, value}, and meta[x], which are {title, value}."""
    for part in ("fields", "meta"):
        for name, field in tree.get(part, {}).items():  # type: ignore[union-attr]  # has_titled_fields has looked
            path = () if part == "fields" else ("meta",)
            meaning = meaning_of((name, text(field, "title")), path, text(field, "type"))
            yield Entry(name if part == "fields" else f"meta.{name}", at(field, "value"), meaning)
    yield from flat({name: value for name, value in tree.items() if name not in ("fields", "meta")})


def has_titled_fields(tree: Tree) -> bool:
    fields, meta = tree.get("fields"), tree.get("meta", {})
    return (
        isinstance(fields, dict)
        and isinstance(meta, dict)
        and bool(fields)
        and all(isinstance(field, dict) and "value" in field for field in (*fields.values(), *meta.values()))
    )


def typed_answers(tree: Tree) -> Iterator[Entry]:
    """Yields the answers of a response, each of which names its field, with the titles of the form's definition."""
    response: Tree = dict(tree["form_response"])  # type: ignore[arg-type]  # entries_of has looked
    defined = {text(field, "id"): field for field in records(response, "definition", "fields")}
    yield Entry("title", at(response, "definition", "title"), technical_field("form_name"))
    for answer in records(response, "answers"):
        field, kind = answer.get("field"), text(answer, "type")
        id = text(field, "id")
        question = defined.get(id)
        value = answer.get(kind)
        if isinstance(value, dict):  # a choice is {"label"}, several are {"labels"}; a payment stays as it is
            value = next((value[name] for name in ("labels", "label", "other") if name in value), value)
        name = text(field, "ref") or text(question, "ref") or id
        kind = kind if kind in ("email", "phone_number") else text(field, "type")
        yield Entry(name, value, meaning_of((text(question, "title"), name), (), kind))
    yield from flat({name: value for name, value in response.items() if name not in ("definition", "answers")})
    yield from flat({name: value for name, value in tree.items() if name != "form_response"})


def raw_request(tree: Tree) -> Iterator[Entry]:
    """Yields what was filled in, which is the JSON in rawRequest, and then what is around it."""
    raw: Tree = tree["rawRequest"]  # type: ignore[assignment]  # entries_of has looked
    yield from flat(raw)
    yield from flat({name: value for name, value in tree.items() if name != "rawRequest" and name not in raw})


def named_values(tree: Tree) -> Iterator[Entry]:
    """Yields each question with its answers, of which there is a list."""
    answers: Tree = tree["namedValues"]  # type: ignore[assignment]  # entries_of has looked
    for question, given in answers.items():
        value = given[0] if isinstance(given, list) and len(given) == 1 else given
        yield Entry(question, value, meaning_of((question,)))
    yield from flat({name: value for name, value in tree.items() if name not in ("namedValues", "values")})


def numbered_fields(tree: Tree, labels: Mapping[str, str] | None = None) -> Iterator[Entry]:
    """Yields fields whose names are numbers, of which only the parts of a person's name are known.

    `labels` are the questions by the numbers of their fields.
    """
    known = _numbered(tuple(tree), tuple((labels or {}).items()))
    for (name, value), (shown, meaning) in zip(tree.items(), known, strict=True):
        if meaning is None and isinstance(value, NESTED):
            yield from flat({name: value})
        else:
            yield Entry(shown, value, meaning or meaning_of_one(name, ()))


@cached_by_names
def _numbered(
    names: tuple[str, ...], labels: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, FieldMeaning | None], ...]:
    """Returns what each of such fields is called and means; None where its own name must say it."""
    questions = dict(labels)
    found: list[tuple[str, FieldMeaning | None]] = []
    split = {name: _SUB_INPUT.fullmatch(name) for name in names}
    parts: dict[str, set[str]] = {}
    for matched in filter(None, split.values()):
        parts.setdefault(matched[1], set()).add(matched[2])
    people = {field for field, subs in parts.items() if {"3", "6"} <= subs <= _NAME_PARTS.keys()}
    for name, sub in split.items():
        label = questions.get(sub[1] if sub else name)
        if sub and sub[1] in people:
            found.append((name, field_meaning(_NAME_PARTS[sub[2]])))
        elif label is not None:
            found.append((f"{label}.{sub[2]}" if sub else label, meaning_of((label,))))
        else:
            found.append((name, NOTHING if sub else None))
    return tuple(found)


def is_numbered(tree: Tree) -> bool:
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
    (has_titled_fields, titled_fields),
    (lambda tree: isinstance(tree.get("form_response"), dict), typed_answers),
    (lambda tree: isinstance(tree.get("rawRequest"), dict), raw_request),
    (lambda tree: isinstance(tree.get("namedValues"), dict), named_values),
    (is_numbered, numbered_fields),
    (lambda _: True, flat),
)
