"""One line of POST /facts as a fact: which fields each type has, and what their text means.

The shapes are read off the generated facts, so a field that is added to a schema is understood here at once.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Union, get_type_hints

import msgspec
from msgspec import Raw as Json
from msgspec.structs import FieldInfo, fields, replace

from crm.envelope import Fact, named_id
from crm.errors import Malformed
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.money import to_minor
from crm.phones import read_phone
from crm.scalars import Id, Micros
from crm.shared import Meta, Phone, Raw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 and 9999, in microseconds
Time = Annotated[int, msgspec.Meta(ge=FIRST, le=LAST)] | Annotated[datetime, msgspec.Meta(tz=True)]
Currency = Annotated[str, msgspec.Meta(pattern="^([A-Z]{3})?$")]
PhoneText = Phone | str
SHAPES: dict[Any, Any] = {
    Micros: Time,
    Micros | None: Time | None,
    Phone: PhoneText,
    Phone | None: PhoneText | None,
    tuple[Phone, ...]: tuple[PhoneText, ...],
}
WORDS: dict[str, Any] = {
    "currency": Currency,
    "status": Literal["created", "held", "settled", "failed", "reversed", "expired"],
    "phase": Literal["ringing", "answered", "transferred", "hung_up", "completed"],
    "direction": Literal["in", "out"],
    "disposition": Literal["", "answered", "no_answer", "busy", "cancelled", "failed", "voicemail"],
    "chat_kind": Literal["private", "group", "channel"],
    "fields": dict[str, Json],
}
SENDERS: dict[type[Fact], Callable[[Any], str]] = {
    FormSubmitted: lambda f: next((p.e164 for p in f.phones if p.e164), "") or next(iter(f.emails), ""),
    PaymentReported: lambda f: f"{f.provider}/{f.payment}",
    CallReported: lambda f: f.call,
    MessageReported: lambda f: f"{f.channel}/{f.chat}",
}


def micros(time: int | datetime) -> Micros:
    return Micros(time if isinstance(time, int) else (time - EPOCH) // timedelta(microseconds=1))


def phone(given: Phone | str) -> Phone:
    """E.164 is always worked out here."""
    if isinstance(given, str):
        return read_phone(given)
    read = read_phone(given.e164 or given.text)
    return Phone(given.text, read.e164, given.extension or read.extension)


def optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda given: None if given is None else read(given)


def meaning(name: str, hint: Any) -> Callable[[Any], Any] | None:
    """How a field's value is read; None when it is taken as it is."""
    match hint:
        case _ if name == "fields":
            return lambda given: {key: bytes(value).decode() for key, value in given.items()}
        case _ if name == "emails":
            return lambda given: tuple(email.lower() for email in given)
        case _ if hint is Micros:
            return micros
        case _ if hint == Micros | None:
            return optional(micros)
        case _ if hint is Phone:
            return phone
        case _ if hint == Phone | None:
            return optional(phone)
        case _ if hint == tuple[Phone, ...]:
            return lambda given: tuple(phone(one) for one in given)
    return None


def line_shape(fact: type[Fact]) -> type[msgspec.Struct]:
    """The record's own fields, and those of the envelope that a client may give."""
    hints = get_type_hints(fact)
    shape: dict[str, tuple[Any, ...]] = {"id": (str | None, None), "occurred_at": (Time | None, None)}
    shape["sender"] = (str | None, None)
    for f in fields(fact):
        if f.name not in ("meta", "raw"):
            shape[f.name] = (WORDS.get(f.name, SHAPES.get(hints[f.name], hints[f.name])), *default_of(f))
    if "amount_minor" in shape:
        shape |= {"amount_minor": (int | None, None), "amount": (str | None, None)}
    return msgspec.defstruct(
        f"{fact.__name__}Line",
        [(name, *rest) for name, rest in shape.items()],
        kw_only=True,
        forbid_unknown_fields=True,
        tag_field="type",
        tag=fact.__name__,
        gc=False,
    )


def default_of(field: FieldInfo) -> tuple[Any, ...]:
    if field.default is not msgspec.NODEFAULT:
        return (field.default,)
    if field.default_factory is not msgspec.NODEFAULT:
        return (msgspec.field(default_factory=field.default_factory),)
    return ()


LINES = {line_shape(fact): fact for fact in SENDERS}
DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Union[tuple(LINES)])  # noqa: UP007  # made at run time
OWN = {
    fact: tuple((f.name, meaning(f.name, hints[f.name])) for f in fields(fact) if f.name not in ("meta", "raw"))
    for fact in SENDERS
    for hints in [get_type_hints(fact)]
}


class Teller(msgspec.Struct, frozen=True):
    """Whose line it is, and when it came."""

    token: Id
    workspace: Id
    received_at: Micros
    trace: str = ""


def read_line(line: bytes, default_id: Id, teller: Teller) -> Fact:
    """Raises Malformed with a sentence that names the field."""
    try:
        given = DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"{error}.".replace(" - at `$.", " in `").replace(" - at `$`", "")) from None
    fact_type = LINES[type(given)]
    made: Callable[..., Fact] = fact_type
    own = {name: read(getattr(given, name)) if read else getattr(given, name) for name, read in OWN[fact_type]}
    if "amount_minor" in own:
        own["amount_minor"] = amount_of(given, required=fact_type is PaymentReported)
    id = default_id if given.id is None else named_id(teller.token, f"id/{given.id}")
    meta = Meta(
        id=id,
        workspace=teller.workspace,
        stream=id,
        occurred_at=teller.received_at if given.occurred_at is None else micros(given.occurred_at),
        recorded_at=teller.received_at,
        source=teller.token,
        cause=id,
        actor="facts",
        trace=teller.trace,
    )
    fact: Fact = made(meta=meta, raw=Raw("application/json", {}, "", line), **own)
    sender = SENDERS[fact_type](fact) if given.sender is None or fact_type is MessageReported else given.sender
    return replace(fact, meta=replace(meta, stream=named_id(teller.token, f"sender/{sender}"))) if sender else fact


def amount_of(given: Any, required: bool) -> int | None:
    if given.amount is None:
        if required and given.amount_minor is None:
            raise Malformed("Object missing required field `amount_minor` (or `amount`, as exact text).")
        minor: int | None = given.amount_minor
        return minor
    if given.amount_minor is not None:
        raise Malformed("Give `amount_minor` or `amount`, not both.")
    try:
        return to_minor(given.amount, given.currency)
    except Malformed as error:
        raise Malformed(f"In `amount`: {error}") from None
