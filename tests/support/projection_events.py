"""Events for tests of the projections: short envelopes, a fold, and random journals."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from crm.envelope import Event, Row, named_id
from crm.events import (
    AssignmentRulesSet,
    CallOpened,
    CallUpdated,
    ConnectionAdded,
    ConnectionRemoved,
    ConnectionRotated,
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    ContactUnmerged,
    ConversationOpened,
    DealAssigned,
    DealChanged,
    DealLineChanged,
    DealOpened,
    DealPaid,
    DealStageMoved,
    FactQuarantined,
    FieldDefined,
    FieldRetired,
    IdentifierAdded,
    IdentifierRemoved,
    MessageEdited,
    MessageReceived,
    NoteAdded,
    NoteChanged,
    NoteRemoved,
    OwnerChanged,
    ParcelAttached,
    ParcelDetached,
    ParcelMoved,
    ParcelParked,
    ParcelRecorded,
    ParcelTracked,
    PaymentMatched,
    PaymentParked,
    PaymentRecorded,
    PaymentUnmatched,
    PipelineChanged,
    ReplyQueued,
    TaskAdded,
    TaskChanged,
    TaskDone,
    TaskRemoved,
    TaskReopened,
    TokenCreated,
    TokenRevoked,
    WorkspaceChanged,
    WorkspaceCreated,
)
from crm.projection import Projection
from crm.scalars import Id, Micros
from crm.shared import AssignmentRule, Attachment, ContactIdentifier, Meta, OrderLine, Payer, Phone
from crm.vocabulary import ParcelStatus

SHOP = Id("11111111-1111-5111-8111-111111111111")
NOON = Micros(1_767_268_800_000_000)
Rows = dict[tuple[Id, Id], Row]  # by workspace and key


def an_id(name: str) -> Id:
    return named_id(SHOP, name)


OLENA, DEAL, CALL, CHAT, PAYMENT, PARCEL = map(an_id, ("Olena", "deal", "call", "chat", "payment", "parcel"))


def meta(name: str = "event", at: int = 0, stream: Id = OLENA) -> Meta:
    """`at` is in microseconds after noon."""
    time = Micros(NOON + at)
    return Meta(an_id(name), SHOP, stream, time, time, "connection", an_id("cause"), "crm.intake.forms", 2, 40, "forms")


def fold(projection: Projection[Any], events: Iterable[Event], rows: Rows | None = None) -> Rows:
    """Folds each event into the row of its key; None deletes the row."""
    after = dict(rows or {})
    for event in events:
        if isinstance(event, projection.handles):
            key = event.meta.workspace, projection.key_of(event)
            row = projection.fold(after.get(key) if projection.needs_row else None, event)
            if row is None:
                after.pop(key, None)
            else:
                assert getattr(row, projection.key) == key[1]
                after[key] = row
    return after


def row_of(projection: Projection[Any], *events: Event) -> Any:
    """Returns the one row that these events produce, or None."""
    rows = fold(projection, events)
    assert len(rows) <= 1
    return next(iter(rows.values()), None)


WORDS = st.sampled_from(("", "new", "won", "Olena", "ringing", "completed", "answered", "phone", "email", "telegram"))
TIMES = st.integers(-(10**15), 10**15)
SUMS = st.integers(-(2**63), 2**63 - 1)
KNOWN_BY = st.lists(
    st.builds(ContactIdentifier, WORDS, WORDS, WORDS), max_size=3, unique_by=lambda one: (one.kind, one.value)
).map(tuple)
SOME_FIELDS = st.dictionaries(WORDS, st.sampled_from(('"L"', "7", "null")), max_size=2)
CHANGES = st.integers(-(2**57), 2**57)  # thirty of them still fit a column


def histories(name: str) -> st.SearchStrategy[list[Event]]:
    """Draws events of one stream: a contact with its deals, chats, calls and payments."""
    who = an_id(name)

    def of(kind: str) -> st.SearchStrategy[Id]:
        return st.sampled_from((an_id(f"{name} {kind} 1"), an_id(f"{name} {kind} 2")))

    m, contact = st.builds(lambda at: meta("", at, who), TIMES), st.just(who)
    seconds, moments = st.none() | st.integers(0, 999), st.none() | st.integers(0, 10**15)
    phones = st.builds(Phone, WORDS, WORDS)
    kinds = (
        st.builds(ContactCreated, m, contact, WORDS, WORDS, identifiers=KNOWN_BY, fields=SOME_FIELDS),
        st.builds(ContactRenamed, m, contact, WORDS),
        st.builds(ContactMerged, m, contact, of("other"), WORDS),
        st.builds(IdentifierAdded, m, contact, WORDS, WORDS),
        st.builds(
            DealLineChanged,
            m,
            of("line"),
            of("deal"),
            contact,
            st.builds(OrderLine, WORDS, WORDS, WORDS, WORDS, st.none() | SUMS, SUMS, st.none() | SUMS),
            st.integers(1, 9),
            st.just("UAH"),
            st.booleans(),
        ),
        st.builds(DealOpened, m, of("deal"), contact, SUMS, WORDS, SUMS, st.just("UAH"), WORDS, WORDS),
        st.builds(DealAssigned, m, of("deal"), contact, WORDS, WORDS, st.just(1), WORDS),
        st.builds(DealPaid, m, of("deal"), contact, of("payment"), CHANGES, SUMS, SUMS, st.just("UAH"), WORDS),
        st.builds(DealStageMoved, m, of("deal"), contact, WORDS, WORDS),
        st.builds(ConversationOpened, m, of("chat"), contact, WORDS, WORDS, WORDS),
        st.builds(MessageReceived, m, of("message"), of("chat"), contact, WORDS, WORDS, WORDS),
        st.builds(MessageEdited, m, of("message"), of("chat"), contact, WORDS, TIMES),
        st.builds(CallOpened, m, of("call"), contact, WORDS, WORDS, phones, WORDS, st.booleans()),
        st.builds(CallUpdated, m, of("call"), contact, WORDS, WORDS, moments, seconds, seconds, WORDS, WORDS),
        st.builds(PaymentRecorded, m, of("payment"), WORDS, WORDS, WORDS, SUMS, st.just("UAH"), SUMS, WORDS, WORDS,
                  st.builds(Payer, WORDS, WORDS), WORDS, TIMES),
        st.builds(PaymentMatched, m, of("payment"), of("deal"), contact, WORDS, WORDS),
        st.builds(PaymentParked, m, of("payment"), WORDS, st.just(())),
        st.builds(PaymentUnmatched, m, of("payment"), of("deal"), contact, WORDS),
        st.builds(ParcelTracked, m, of("parcel"), WORDS, WORDS, st.none() | of("parcel")),
        st.builds(ParcelRecorded, m, of("parcel"), WORDS, WORDS, st.sampled_from((*ParcelStatus, "")), WORDS, WORDS,
                  moments, WORDS, st.none() | phones),
        st.builds(ParcelMoved, m, of("parcel"), of("deal"), contact, WORDS, WORDS, WORDS),
        st.builds(ParcelAttached, m, of("parcel"), of("deal"), contact, WORDS, WORDS),
        st.builds(ParcelDetached, m, of("parcel"), of("deal"), contact, WORDS),
        st.builds(ParcelParked, m, of("parcel"), WORDS, st.just(())),
        st.builds(ContactChanged, m, contact, st.dictionaries(WORDS, st.sampled_from(("1", "null")))),
        st.builds(ContactUnmerged, m, contact, of("other"), WORDS),
        st.builds(IdentifierRemoved, m, contact, WORDS, WORDS, WORDS),
        st.builds(DealChanged, m, of("deal"), contact, st.none() | WORDS, st.none() | SUMS),
        st.builds(ReplyQueued, m, of("message"), of("chat"), contact, WORDS),
        *(st.builds(kind, m, of("note"), contact, WORDS) for kind in (NoteAdded, NoteChanged)),
        st.builds(NoteRemoved, m, of("note"), contact),
        *(st.builds(kind, m, of("task"), contact, WORDS) for kind in (TaskAdded, TaskChanged)),
        *(st.builds(kind, m, of("task"), contact) for kind in (TaskDone, TaskReopened, TaskRemoved)),
        *(st.builds(kind, m, of("connection"), WORDS, WORDS)
          for kind in (ConnectionAdded, ConnectionRotated, ConnectionRemoved)),
        *(st.builds(kind, m, of("token"), WORDS, st.just(("read",))) for kind in (TokenCreated, TokenRevoked)),
        st.builds(FieldDefined, m, of("field"), WORDS, WORDS, WORDS, WORDS),
        st.builds(FieldRetired, m, of("field"), WORDS, WORDS),
        st.builds(PipelineChanged, m, of("pipeline"), WORDS, st.just(("a",)), st.just({"a": "A"}), WORDS, WORDS),
        st.builds(WorkspaceChanged, m, of("pipeline"), WORDS, WORDS, WORDS, WORDS),
        st.builds(OwnerChanged, m, of("owner"), WORDS, WORDS, active=st.booleans()),
        st.builds(AssignmentRulesSet, m, SUMS, st.just((RULE,)), of("assignment_rules")),
        st.builds(FactQuarantined, m, of("fact"), WORDS, WORDS, WORDS, SUMS, WORDS, WORDS),
        st.builds(WorkspaceCreated, m, WORDS, WORDS, WORDS, WORDS, st.just(("new",)), WORDS, WORDS),
    )  # fmt: skip
    return st.lists(st.one_of(*kinds), max_size=30).map(lambda events: numbered(name, events))


def numbered(stream: str, events: list[Event]) -> list[Event]:
    """Gives each event its own id."""
    return [replace(e, meta=replace(e.meta, id=an_id(f"{stream} event {n}"))) for n, e in enumerate(events)]


FILE = Attachment("document", "a.pdf", "application/pdf", 10, "file-1")
FILE_TEXT = '{"kind":"document","name":"a.pdf","media_type":"application/pdf","size":10,"ref":"file-1"}'
RULE = AssignmentRule("all", ("anna",))
