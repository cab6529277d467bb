"""Reads one line of POST /facts as a fact: the fields of each type and the meaning of their values.

The fields are taken from the generated facts, so that a field that is added to a schema is accepted here at once.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha1
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_type_hints

import msgspec
from msgspec.structs import FieldInfo, astuple, fields

from crm.decisions import RULES
from crm.decisions.fact_rule import FactRule
from crm.decisions.limits import FIRST, LAST
from crm.envelope import Fact, named_id
from crm.scalars import Id, Micros
from crm.shared import Attachment, Meta, Payer, Phone, Raw
from crm.versions import DIGEST, OPEN_API
from services.intake import values
from services.intake.allowed import explained
from services.intake.nulls import NULL, without_nulls
from services.intake.refusals import Refusal, of_decoding
from services.intake.values import LineContext, Meaning

Time = Annotated[int, msgspec.Meta(ge=FIRST, le=LAST)] | Annotated[datetime, msgspec.Meta(tz=True)]
PhoneText = values.Number | str


def strict(record: type[msgspec.Struct]) -> Any:
    """Returns a shape of the same fields that refuses others: msgspec would drop a misspelt field silently."""
    return msgspec.defstruct(record.__name__, [], bases=(record,), frozen=True, gc=False, forbid_unknown_fields=True)


SHAPES: dict[Any, Any] = {
    Micros: Time,
    Micros | None: Time | None,
    Phone: PhoneText,
    Phone | None: PhoneText | None,
    tuple[Phone, ...]: tuple[PhoneText, ...],
    Payer: strict(Payer),
    tuple[Attachment, ...]: tuple[strict(Attachment), ...],  # type: ignore[misc]  # made at run time
}
JSON_FIELDS: Any = dict[str, msgspec.Raw]
OURS = ("meta", "raw", "digest", "doubts")  # fields that a client cannot give
DIGITS = 32  # of a digest


def meaning(name: str, hint: Any) -> Meaning | None:
    """Returns how the value of a field is read; None when it is taken as it is."""
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
        case _ if hint is Payer:
            return lambda given, _: Payer(*astuple(given))
        case _ if hint == tuple[Attachment, ...]:
            return lambda given, _: tuple(Attachment(*astuple(one)) for one in given)
    return None


def words_of(rule: FactRule, field: FieldInfo) -> Any:
    """Returns the type of a field that holds one of a few words; an empty text is one where it is the default."""
    empty = ("",) if field.default == "" else ()
    return Literal[*empty, *(word.value for word in rule.words[field.name])]


def line_shape(rule: FactRule) -> type[msgspec.Struct]:
    """Returns a struct with the fact's own fields and those of the envelope that a client may give."""
    fact, hints = rule.fact, get_type_hints(rule.fact)
    shape: dict[str, tuple[Any, ...]] = {"id": (str | None, None), "occurred_at": (Time | None, None)}
    shape |= {"sender": (str | None, None), "ordered_by": (str | None, None)}
    for f in fields(fact):
        if f.name not in OURS:
            kind = JSON_FIELDS if f.name == "fields" else SHAPES.get(hints[f.name], hints[f.name])
            shape[f.name] = (words_of(rule, f) if f.name in rule.words else kind, *default_of(f))
    if "amount_minor" in shape:
        shape |= {"amount_minor": (int | None, None), "amount": (str | None, None)}
    return msgspec.defstruct(
        f"{fact.__name__}Line",
        [(name, *rest) for name, rest in shape.items()],
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,  # so that fields that are added later change no digest
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


LINES = {line_shape(rule): rule for rule in RULES.values() if rule.sender}
SHAPES_BY_TYPE = {rule.fact.__name__: line for line, rule in LINES.items()}
DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Union[tuple(LINES)])  # noqa: UP007  # made at run time
CANONICAL = msgspec.json.Encoder(order="deterministic")
READERS = {  # of each line: the names of its fact's own fields, their values in a line, and how some of these are read
    line: (names, attrgetter(*names), tuple((name, read) for name in names if (read := meaning(name, hints[name]))))
    for line, fact in [(line, rule.fact) for line, rule in LINES.items()]
    for names in [tuple(f.name for f in fields(fact) if f.name not in OURS)]
    for hints in [get_type_hints(fact)]
}
NEEDS_SUM = {line for line, rule in LINES.items() for f in fields(rule.fact) if f.name == "amount_minor" and f.required}
occurred_at = values.moment("occurred_at")


def json_text(field: str, value: msgspec.Raw) -> str:
    """Returns JSON as text. Raises Refusal."""
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise Refusal("Its value is not UTF-8.", field=f"fields.{field}") from None


def parse_line(line: bytes, default_id: Callable[[], Id], context: LineContext, named: bool = False) -> Fact:
    """Returns the fact of a line. `default_id` gives the id of a line without one.

    The fact has a digest of its content if it has an id of its own, or if `named`: `default_id` is the same in a
    repeat. Raises Refusal.
    """
    try:
        given = DECODER.decode(without_nulls(line))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise explained(of_decoding(error), line, SHAPES_BY_TYPE) from None
    rule = LINES[type(given)]
    if NULL in line and not rule.null_removes and getattr(given, "fields", None):
        given.fields = {key: value for key, value in given.fields.items() if bytes(value) != NULL}
    names, values_of, meanings = READERS[type(given)]
    own: dict[str, Any] = dict(zip(names, values_of(given), strict=True))
    for name, read in meanings:
        if (value := own[name]) is not None:
            own[name] = read(value, context)
    if "payer" in own:
        settle_payer(own, context)
    if "amount_minor" in own:
        settle_sum(given, own, context)
    id = default_id() if given.id is None else named_id(context.token, f"id/{given.id}")
    digest = digest_of(given) if named or given.id is not None else ""
    sender = sender_of(given, own, rule.sender)
    meta = Meta(
        id=id,
        workspace=context.workspace,
        stream=named_id(context.token, f"sender/{sender}") if sender else id,
        occurred_at=moment_of(given, own.get(rule.occurs), context),
        recorded_at=context.received_at,
        source=context.token,
        cause=id,
        actor=OPEN_API,
        trace=context.trace,
    )
    own["meta"], own["raw"] = meta, Raw("application/json", {DIGEST: digest} if digest else {}, "", line)
    fact: Fact = rule.fact(**own)
    if wrong := rule.check(fact):
        raise Refusal(wrong[1], field=wrong[0])
    return fact


def moment_of(given: Any, reported: Micros | None, context: LineContext) -> Micros:
    """Returns when a fact occurred: as it says, else when its source changed what it reports, else now."""
    if given.occurred_at is not None:
        return Micros(occurred_at(given.occurred_at, context))
    return context.received_at if reported is None else Micros(min(reported, context.received_at))


def sender_of(given: Any, own: dict[str, Any], default: Callable[[dict[str, Any]], str] | None) -> str:
    """Returns the ordering key: lines with the same one are processed in order. The author of a message is none."""
    if given.ordered_by is not None:
        return str(given.ordered_by)
    if given.sender is not None and "sender" not in own:
        return str(given.sender)
    return default(own) if default else ""


def digest_of(given: Any) -> str:
    """Returns a digest that does not depend on the order of fields, on whitespace or on nulls."""
    return sha1(CANONICAL.encode(given), usedforsecurity=False).hexdigest()[:DIGITS]


def settle_sum(given: Any, own: dict[str, Any], context: LineContext) -> None:
    """Turns `amount` into `amount_minor` and its currency. Raises Refusal."""
    if given.amount is None:
        if given.amount_minor is None and type(given) in NEEDS_SUM:
            sentence = "Object missing required field `amount_minor` (or `amount`, as exact text)."
            raise Refusal(sentence, "MISSING_FIELD", "amount_minor")
    elif given.amount_minor is not None:
        raise Refusal("Give `amount_minor` or `amount`, not both.", field="amount")
    else:
        own["amount_minor"], own["currency"] = values.amount(given.amount, own["currency"], context)


def settle_payer(own: dict[str, Any], context: LineContext) -> None:
    """Normalizes the payer's phone and e-mail; what cannot be read becomes a doubt on the card."""
    payer = own["payer"]
    if payer.phone or payer.email:
        own["payer"], own["doubts"] = values.payer(payer, context)
