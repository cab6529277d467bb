"""One line of POST /facts as a fact: which fields each type has, and what their text means.

The shapes are read off the generated facts, so a field that is added to a schema is understood here at once.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha1
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_type_hints

import msgspec
from msgspec import Raw as Json
from msgspec.structs import FieldInfo, fields

from crm.envelope import Fact, named_id
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.scalars import Id, Micros
from crm.shared import Meta, Phone, Raw
from crm.versions import DIGEST, OPEN_API
from services.intake import values
from services.intake.nulls import without_nulls
from services.intake.refusals import Refusal, of_decoding
from services.intake.values import Meaning
from services.intake.values import Teller as Teller

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 and 9999, in microseconds
Time = Annotated[int, msgspec.Meta(ge=FIRST, le=LAST)] | Annotated[datetime, msgspec.Meta(tz=True)]
PhoneText = values.Number | str
SHAPES: dict[Any, Any] = {
    Micros: Time,
    Micros | None: Time | None,
    Phone: PhoneText,
    Phone | None: PhoneText | None,
    tuple[Phone, ...]: tuple[PhoneText, ...],
}
WORDS: dict[str, Any] = {
    "status": Literal["created", "held", "settled", "failed", "reversed", "expired"],
    "phase": Literal["ringing", "answered", "transferred", "hung_up", "completed"],
    "direction": Literal["in", "out"],
    "disposition": Literal["", "answered", "no_answer", "busy", "cancelled", "failed", "voicemail"],
    "chat_kind": Literal["private", "group", "channel"],
    "fields": dict[str, Json],
}
SENDERS: dict[type[Fact], Callable[[dict[str, Any]], str]] = {  # whom a line is about that does not say it
    FormSubmitted: lambda own: next((p.e164 for p in own["phones"] if p.e164), "") or next(iter(own["emails"]), ""),
    PaymentReported: lambda own: f"{own['provider']}/{own['payment']}",
    CallReported: lambda own: str(own["call"]),
    MessageReported: lambda own: f"{own['channel']}/{own['chat']}",
}
OURS = ("meta", "raw", "digest", "doubts")  # fields that are not the client's to give
DIGITS = 32  # of a digest


def meaning(name: str, hint: Any) -> Meaning | None:
    """How a field's value is read where there is one; None when it is taken as it is."""
    match hint:
        case _ if name == "fields":
            return lambda given, _: {key: json_text(key, value) for key, value in given.items()}
        case _ if name == "emails":
            return values.emails
        case _ if name == "currency":
            return values.currency
        case _ if hint in (Micros, Micros | None):
            return values.moment(name)
        case _ if hint in (Phone, Phone | None):
            return values.phone
        case _ if hint == tuple[Phone, ...]:
            return values.phones
    return None


def line_shape(fact: type[Fact]) -> type[msgspec.Struct]:
    """The record's own fields, and those of the envelope that a client may give."""
    hints = get_type_hints(fact)
    shape: dict[str, tuple[Any, ...]] = {"id": (str | None, None), "occurred_at": (Time | None, None)}
    shape |= {"sender": (str | None, None), "ordered_by": (str | None, None)}
    for f in fields(fact):
        if f.name not in OURS:
            shape[f.name] = (WORDS.get(f.name, SHAPES.get(hints[f.name], hints[f.name])), *default_of(f))
    if "amount_minor" in shape:
        shape |= {"amount_minor": (int | None, None), "amount": (str | None, None)}
    return msgspec.defstruct(
        f"{fact.__name__}Line",
        [(name, *rest) for name, rest in shape.items()],
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,  # so that a field that is added later changes no digest
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
CANONICAL = msgspec.json.Encoder(order="deterministic")
READERS = {  # of each line: the names of its fact's own fields, their values in a line, and how some of these are read
    line: (names, attrgetter(*names), tuple((name, read) for name in names if (read := meaning(name, hints[name]))))
    for line, fact in LINES.items()
    for names in [tuple(f.name for f in fields(fact) if f.name not in OURS)]
    for hints in [get_type_hints(fact)]
}
occurred_at = values.moment("occurred_at")


def read_line(line: bytes, default_id: Id, teller: Teller) -> Fact:
    """`default_id` is that of a line without an id of its own. Raises Refusal."""
    return fact_of(line, lambda: default_id, teller)


def json_text(field: str, value: msgspec.Raw) -> str:
    """Raises Refusal."""
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise Refusal("Its value is not UTF-8.", field=f"fields.{field}") from None


def fact_of(line: bytes, default_id: Callable[[], Id], teller: Teller, named: bool = False) -> Fact:
    """With a digest of its content where it has a name: an id of its own, or `named`, when `default_id` is one.

    Raises Refusal.
    """
    try:
        given = DECODER.decode(without_nulls(line))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise of_decoding(error) from None
    fact_type = LINES[type(given)]
    made: Callable[..., Fact] = fact_type
    names, values_of, meanings = READERS[type(given)]
    own: dict[str, Any] = dict(zip(names, values_of(given), strict=True))
    for name, read in meanings:
        if (value := own[name]) is not None:
            own[name] = read(value, teller)
    if fact_type is PaymentReported:
        settle_payer(own, teller)
    if fact_type is PaymentReported or (fact_type is FormSubmitted and given.amount is not None):
        settle_sum(given, own, teller)
    id = default_id() if given.id is None else named_id(teller.token, f"id/{given.id}")
    digest = digest_of(given) if named or given.id is not None else ""
    sender = sender_of(given, fact_type, own)
    meta = Meta(
        id=id,
        workspace=teller.workspace,
        stream=named_id(teller.token, f"sender/{sender}") if sender else id,
        occurred_at=teller.received_at if given.occurred_at is None else occurred_at(given.occurred_at, teller),
        recorded_at=teller.received_at,
        source=teller.token,
        cause=id,
        actor=OPEN_API,
        trace=teller.trace,
    )
    own["meta"], own["raw"] = meta, Raw("application/json", {DIGEST: digest} if digest else {}, "", line)
    return made(**own)


def sender_of(given: Any, fact_type: type[Fact], own: dict[str, Any]) -> str:
    """Whom the line is about: what one sender tells is in one order. A message's `sender` is who wrote it."""
    if given.ordered_by is not None:
        return str(given.ordered_by)
    if given.sender is not None and fact_type is not MessageReported:
        return str(given.sender)
    return SENDERS[fact_type](own)


def digest_of(given: Any) -> str:
    """The same for the same content, whatever the order of its fields, its blanks and its nulls."""
    return sha1(CANONICAL.encode(given), usedforsecurity=False).hexdigest()[:DIGITS]


def settle_sum(given: Any, own: dict[str, Any], teller: Teller) -> None:
    """`amount` becomes `amount_minor`, in the currency that it names. Raises Refusal."""
    if given.amount is None:
        if given.amount_minor is None:
            sentence = "Object missing required field `amount_minor` (or `amount`, as exact text)."
            raise Refusal(sentence, "MISSING_FIELD", "amount_minor")
    elif given.amount_minor is not None:
        raise Refusal("Give `amount_minor` or `amount`, not both.", field="amount")
    else:
        own["amount_minor"], own["currency"] = values.amount(given.amount, own["currency"], teller)


def settle_payer(own: dict[str, Any], teller: Teller) -> None:
    """What of the payer cannot be read is said on the card."""
    payer = own["payer"]
    if payer.phone or payer.email:
        own["payer"], own["doubts"] = values.payer(payer, teller)
