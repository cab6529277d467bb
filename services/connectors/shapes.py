"""The shapes in which form builders wrap their fields, unwrapped to one flat list in the form's own order."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from crm.errors import Malformed
from services.connectors.exact_json import MOST_FIELDS, Tree, Value
from services.connectors.fields import role_of
from services.connectors.values import at, records, text

_NAME_PARTS = {"prefix": "", "first": "first", "middle": "middle", "last": "last", "suffix": ""}
_PHONE_PARTS = ("country", "area", "phone", "full")
_SUB_INPUT = re.compile(r"(\d+)\.(\d+)")
_GRAVITY_NAME = {"2": "", "3": "first", "4": "middle", "6": "last", "8": ""}  # sub-inputs of its name field
_TYPED = {"email": "email", "tel": "phone", "phone_number": "phone"}


class Entry(NamedTuple):
    """One field: its own (dotted) name, its value, and what it asks for, if that is known."""

    name: str
    value: Value
    role: str


def entries_of(tree: Tree) -> list[Entry]:
    """Every field of a form, whichever builder sent it. Raises Malformed for more than 10,000."""
    read = next(read for fits, read in _SHAPES if fits(tree))
    entries = list(islice(read(tree), MOST_FIELDS + 1))
    if len(entries) > MOST_FIELDS:
        raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    return entries


def flat(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Nested objects become dotted names; a list of plain values stays one value."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _nested(name, value, path)
        elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            yield from flat({str(i): item for i, item in enumerate(value)}, (*path, name))
        else:
            yield Entry(".".join((*path, name)) if path else name, value, role_of(name, path))


def _nested(name: str, value: Tree, path: tuple[str, ...]) -> Iterator[Entry]:
    dotted, role = ".".join((*path, name)), role_of(name, path)
    if role == "name" and value.keys() <= _NAME_PARTS.keys():
        yield from (Entry(f"{dotted}.{part}", item, _NAME_PARTS[part]) for part, item in value.items())
    elif role == "phone" and value.keys() <= set(_PHONE_PARTS):
        yield Entry(dotted, " ".join(part for key in _PHONE_PARTS if (part := text(value, key))), "phone")
    else:
        yield from flat(value, (*path, name))


def _elementor(tree: Tree) -> Iterator[Entry]:
    """https://elementor.com/help/webhook: fields[x] is {id, type, title, value}, meta[x] is {title, value}."""
    for part in ("fields", "meta"):
        for name, field in tree.get(part, {}).items():  # type: ignore[union-attr]  # _is_elementor has looked
            role = _TYPED.get(text(field, "type")) or role_of(name) or role_of(text(field, "title"))
            yield Entry(name if part == "fields" else f"meta.{name}", at(field, "value"), role)
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
    yield Entry("title", at(response, "definition", "title"), "form_name")
    for answer in records(response, "answers"):
        id, kind = text(answer, "field", "id"), text(answer, "type")
        value = at(answer, kind)
        if isinstance(value, dict):  # a choice is {"label"}, several are {"labels"}
            value = value.get("labels", value.get("label", value.get("other")))
        name = text(answer, "field", "ref") or text(asked.get(id), "ref") or id
        yield Entry(name, value, _TYPED.get(kind) or role_of(text(asked.get(id), "title")) or role_of(name))
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
        yield Entry(question, given[0] if isinstance(given, list) and len(given) == 1 else given, role_of(question))
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
        yield Entry(name, value, _GRAVITY_NAME[sub[2]] if sub and sub[1] in names else role_of(name))


def is_gravity(tree: Tree) -> bool:
    return {"id", "form_id", "date_created"} <= tree.keys() and not any(isinstance(v, dict) for v in tree.values())


_SHAPES: tuple[tuple[Callable[[Tree], bool], Callable[[Tree], Iterator[Entry]]], ...] = (
    (_is_elementor, _elementor),
    (lambda tree: isinstance(tree.get("form_response"), dict), _typeform),
    (lambda tree: isinstance(tree.get("rawRequest"), dict), _jotform),
    (lambda tree: isinstance(tree.get("namedValues"), dict), _apps_script),
    (is_gravity, _gravity),
    (lambda _: True, flat),
)
