"""Values of an object's fields: whether they fit, where relations point to, and what its index columns hold."""

import re
from functools import lru_cache
from typing import Any

from crm.decisions.custom import JSON, LONGEST, normal
from crm.objects import BUILT_IN, key_objection, sortable
from crm.phones import read_phone
from crm.state import ObjectField, ObjectType
from crm.state.objects import NULL
from crm.text.emails import emails_in

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DEAL_NUMBER = re.compile(r"D-([1-9]\d{0,17})")
EXAMPLES = {
    "contact": '{"phone": "+380671234567"}, {"email": "a@example.com"}, {"key": "42", "system": "shop"} or {"id": "…"}',
    "deal": '{"number": 7}, {"key": "17", "system": "shop"} or {"id": "…"}',
}


def fitting(kind: ObjectType, key: str, text: str, country: str, own: str) -> str:
    """Returns the JSON text of a value as it is kept. `own`: what a relation to the object itself would be.

    Raises ValueError with a sentence.
    """
    field = kind.fields.get(key)
    if field is None or field.retired:
        if len(text) > LONGEST:
            raise ValueError(f"A value has at most {LONGEST} characters.")
        return text
    if field.type != "relation":
        return normal(field, text)
    if text != NULL and target_of(field, text, country) == own:
        raise ValueError(f"{field.label!r} points to the object itself.")
    return text


def target_of(field: ObjectField, text: str, country: str) -> str:
    """Returns where a relation points to, such as seller:42 or contact:<id>. Raises ValueError with a sentence."""
    found = named(field.target, text, country)
    if not found:
        how = EXAMPLES.get(field.target, '"42" or {"key": "42"}')
        raise ValueError(f"{field.label!r} points to a {field.target}: give it as {how}.")
    return found


@lru_cache(maxsize=16_384)
def named(target: str, text: str, country: str) -> str:
    """Returns an empty text for what names nothing. `text`: JSON."""
    try:
        return named_target(target, JSON.decode(text), country)
    except (ValueError, ArithmeticError, RecursionError):
        return ""


def named_target(target: str, given: Any, country: str) -> str:
    """Returns an empty text for what names nothing."""
    if isinstance(given, str | int) and not isinstance(given, bool):
        return target_by_text(target, str(given))
    if not isinstance(given, dict):
        return ""
    if target not in BUILT_IN:
        return target_by_text(target, str(given["key"])) if [*given] == ["key"] else ""
    match given:
        case {"id": str(id), **rest} if not rest and UUID.fullmatch(id):
            return f"{target}:{id}"
        case {"key": str(key), **rest} if rest.keys() <= {"system"} and not key_objection(key):
            return f"{'account' if target == 'contact' else target}:{rest.get('system', 'api')}:{key}"
        case {"number": int(number), **rest} if not rest and target == "deal":
            return f"deal:D-{number}"
        case {"phone": str(phone), **rest} if not rest and (e164 := read_phone(phone, country).e164):
            return f"phone:{e164}" if target == "contact" else ""
        case {"email": str(email), **rest} if not rest and len(found := emails_in(email)) == 1:
            return f"email:{found[0]}" if target == "contact" else ""
        case {"account": str(account), **rest} if not rest and ":" in account and target == "contact":
            return f"account:{account}"
    return ""


def target_by_text(target: str, text: str) -> str:
    if target not in BUILT_IN:
        return "" if key_objection(text) else f"{target}:{text}"
    if UUID.fullmatch(text) or (target == "deal" and DEAL_NUMBER.fullmatch(text)):
        return f"{target}:{text}"
    return f"{'account' if target == 'contact' else target}:{text}" if ":" in text.strip(":") else ""


def slot_value(field: ObjectField, text: str, country: str) -> str | None:
    """Returns what an index column holds; None for a value from before the field was defined as it is now."""
    if field.type == "relation":
        return named(field.target, text, country).partition(":")[2] or None
    return sorted_text(field.type, text)


@lru_cache(maxsize=16_384)
def sorted_text(kind: str, text: str) -> str | None:
    try:
        return sortable(kind, JSON.decode(text))
    except (ValueError, ArithmeticError, TypeError, RecursionError):
        return None
