"""What is wrong with the outcome of a case: everything expected is there, and no other person, deal or sum."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import asdict

from crm.money import money_text
from tests.meaning.stage import Stage

DIGITS = re.compile(r"\D")


def wrong(expect: dict[str, Any], stage: Stage) -> list[str]:
    """Sentences; none when the outcome is right. Raises KeyError for an unknown expectation."""
    return [sentence for what, wanted in expect.items() for sentence in CHECKS[what](wanted, stage)] + (
        [] if "quarantine" in expect else list(quarantined(0, stage))
    )


def contacts(wanted: list[dict[str, Any]], stage: Stage) -> Iterator[str]:
    """The cards that stand, the oldest first; `may`: identifiers that may be there too."""
    cards = standing(stage)
    if len(cards) != len(wanted):
        yield f"{len(wanted)} people were expected, there are {[(c.name, *c.phones, *c.emails) for c in cards]}"
        return
    for person, card in zip(wanted, cards, strict=True):
        allowed = {*person.get("may", ())}
        for what in ("phones", "emails"):
            got = [value for value in getattr(card, what) if value not in allowed or value in person.get(what, ())]
            if got != person.get(what, []):
                yield f"{what} of {card.name!r}: {person.get(what, [])} was expected, there is {got}"
        if "name" in person and card.name != person["name"]:
            yield f"the name {person['name']!r} was expected, there is {card.name!r}"


def deals(wanted: int | list[dict[str, Any]], stage: Stage) -> Iterator[str]:
    """In the order of their numbers; `of` is the place of its contact in the order of creation."""
    rows = sorted(stage.rows("deal"), key=lambda row: row.number)
    count = wanted if isinstance(wanted, int) else len(wanted)
    if len(rows) != count:
        yield f"{count} deals were expected, there are {[row.title for row in rows]}"
        return
    ids = [card.contact_id for card in standing(stage)]
    into = {card.contact_id: card.merged_into for card in stage.rows("contact")}
    for deal, row in zip([] if isinstance(wanted, int) else wanted, rows, strict=isinstance(wanted, list)):
        got = {what: money_text(getattr(row, f"{what}_minor"), row.currency) for what in ("amount", "paid", "held")}
        got |= {name: getattr(row, name) for name in ("title", "stage", "reference", "currency", "suspicious")}
        got |= {"owned": bool(row.owner), "of": ids.index(into.get(row.contact_id) or row.contact_id)}
        seen = texts(asdict(row))
        for name, value in deal.items():
            if name == "sees":
                yield from (f"D-{row.number} does not show {text!r}" for text in value if not shown(text, seen))
            elif name == "fields":
                for key, text in value.items():
                    if json.loads(row.fields.get(key, "null")) != text:
                        yield f"D-{row.number}: field {key}: {text!r} was expected, there is {row.fields.get(key)}"
            elif got[name] != value:
                yield f"D-{row.number}: {name}: {value!r} was expected, there is {got[name]!r}"


def payments(wanted: list[dict[str, Any]], stage: Stage) -> Iterator[str]:
    """By the provider's id: `deal` is a number, absent when parked; `names`: the candidates that the reason names."""
    rows = {row.payment: row for row in stage.rows("payment")}
    numbers = {row.deal_id: row.number for row in stage.rows("deal")}
    for payment in wanted:
        row = rows[payment["payment"]]
        got = numbers[row.deal_id] if row.deal_id else None
        if got != payment.get("deal"):
            yield f"{row.payment}: D-{payment.get('deal')} was expected, it is on D-{got}: {row.why}"
        for number in payment.get("names", ()):
            if not re.search(rf"\bD-{number}\b", row.why):
                yield f"{row.payment}: its reason does not name D-{number}: {row.why}"
        for name in payment.keys() - {"payment", "deal", "names", "sees"}:
            if getattr(row, name) != payment[name]:
                yield f"{row.payment}: {name}: {payment[name]!r} was expected, there is {getattr(row, name)!r}"
        seen = texts(asdict(row))
        yield from (f"{row.payment} does not show {t!r}" for t in payment.get("sees", ()) if not shown(t, seen))


def rows_like(name: str) -> Any:
    def check(wanted: int | list[dict[str, Any]], stage: Stage) -> Iterator[str]:
        """The oldest first; of each row, the fields that are given."""
        rows = stage.rows(name)
        count = wanted if isinstance(wanted, int) else len(wanted)
        if len(rows) != count:
            yield f"{count} of {name} were expected, there are {len(rows)}: {rows}"
            return
        for said, row in zip([] if isinstance(wanted, int) else wanted, rows, strict=isinstance(wanted, list)):
            for field, value in said.items():
                got = getattr(row, field)
                if (list(got) if isinstance(got, tuple) else got) != value:
                    yield f"{name}: {field}: {value!r} was expected, there is {got!r}"

    return check


def callers(wanted: dict[str, int], stage: Stage) -> Iterator[str]:
    """Who calls: the place of a contact; -1 for nobody."""
    cards = standing(stage)
    for phone, place in wanted.items():
        got = [index for index, card in enumerate(cards) if phone in card.phones]
        if got != ([] if place < 0 else [place]):
            yield f"{phone} is contact {place}, and it is of {got}"


def visible(wanted: list[str], stage: Stage) -> Iterator[str]:
    names = ("contact", "deal", "timeline", "message", "conversation", "call", "note", "payment")
    seen = [text for name in names for row in stage.rows(name) for text in texts(asdict(row))]
    yield from (f"{text!r} is nowhere" for text in wanted if not shown(text, seen))


def quarantined(wanted: int | list[dict[str, Any]], stage: Stage) -> Iterator[str]:
    if isinstance(wanted, list):
        yield from rows_like("quarantine")(wanted, stage)
        return
    waiting = [row.reason for row in stage.rows("quarantine")]
    if len(waiting) != wanted:
        yield f"{wanted} in quarantine were expected, there are {waiting}"


CHECKS: dict[str, Any] = {
    "contacts": contacts,
    "deals": deals,
    "payments": payments,
    "calls": rows_like("call"),
    "messages": rows_like("message"),
    "conversations": rows_like("conversation"),
    "callers": callers,
    "visible": visible,
    "quarantine": quarantined,
}


def standing(stage: Stage) -> list[Any]:
    return [row for row in stage.rows("contact") if not row.merged_into]


def texts(value: Any) -> list[str]:
    """Every text in it."""
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in (str(name), *texts(item))]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def shown(wanted: str, seen: Sequence[str]) -> bool:
    """Whatever the capitals; a number however it is spaced."""
    digits = DIGITS.sub("", wanted)
    if len(digits) >= 7 and len(digits) >= len(wanted.replace(" ", "")) - 6:
        return any(digits in DIGITS.sub("", text) for text in seen)
    return any(wanted.casefold() in text.casefold() for text in seen)
