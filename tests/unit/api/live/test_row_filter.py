"""Filters of subscriptions: in whatever order things happen, the client ends with the rows that fulfil the filter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from graphql import parse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.errors import BadInput
from api.limits.documents import problems
from api.live.positions import BEGINNING, Positions
from api.live.subscriptions.filter_arguments import MOST, followed, row_filter
from api.live.subscriptions.resume_cursor import ResumeCursor
from api.live.subscriptions.row_filter import UNKNOWN, RowFilter, Values
from api.live.subscriptions.subscriber import Subscriber
from api.schema.names import camel
from api.schema.root import schema
from crm.adapters.postgres.notices import comparing, notices
from crm.scalars import Id
from projections import PROJECTIONS
from streams.project import ProjectionBatch
from tests.unit.api.live.test_subscriber import DEAL, SHOP, Client

KEYS = [Id(f"00000000-0000-4000-8000-{n:012d}") for n in range(400)]
BLANK: dict[str, Any] = {"bigint": 0, "boolean": False, "jsonb": {}, "text[]": [], "timestamptz": 0, "uuid": KEYS[0]}
DEAL_ROW = {column.name: BLANK.get(column.type, "") for column in PROJECTIONS["deal"].columns}
NEW = RowFilter((("stage", frozenset(["new", "talks"])),))


def at(position: int) -> Positions:
    return (position, *BEGINNING[1:])


@dataclass
class Board:
    """A client with a filter, the rows of the database, and the notices that are on their way."""

    rows: dict[str, str] = field(default_factory=dict)  # stage by key
    notices: list[tuple[str, Values | None]] = field(default_factory=list)  # of each transaction, in their order
    delivered: int = 0
    shown: set[str] = field(default_factory=set)
    stored: ResumeCursor = field(default_factory=lambda: ResumeCursor(BEGINNING))

    def __post_init__(self) -> None:
        self.subscriber = self.connected()

    def connected(self) -> Subscriber:
        subscriber = Subscriber(DEAL, SHOP, None, Client(), lambda _: None, NEW)
        subscriber.cursor = self.stored
        return subscriber

    def commit(self, key: str, stage: str) -> None:
        before = self.rows.get(key)
        self.rows |= {key: stage} if stage else {}
        if not stage:
            self.rows.pop(key, None)
        self.notices.append((key, None if before is None or before == stage else {"stage": before}))

    def deliver(self) -> None:
        if self.delivered < len(self.notices):
            key, before = self.notices[self.delivered]
            self.delivered += 1
            self.subscriber.take(key, {0: self.delivered}, before)

    def read(self, messages: int, meanwhile: Sequence[tuple[str, str]] = ()) -> None:
        """Reads up to so many waiting rows as they are committed now. `meanwhile` others change."""
        seen, rows = at(len(self.notices)), dict(self.rows)
        keys = self.subscriber.next(messages, at(self.delivered))
        for key, stage in meanwhile:
            self.commit(key, stage)
            self.deliver()
        for key in keys:
            left = self.subscriber.has_left(key, {"stage": rows[key]} if key in rows else None)
            self.subscriber.mark_sent(key, seen, reported=left is not None)
            if left is not None:
                (self.shown.discard if left else self.shown.add)(key)
                self.stored = self.subscriber.cursor

    def cut(self) -> None:
        """The connection breaks: the client comes back with the cursor of the last message that it got."""
        self.subscriber = self.connected()
        before = None if self.stored == ResumeCursor(BEGINNING) else UNKNOWN
        for n, (key, _) in enumerate(self.notices[: self.delivered]):
            self.subscriber.take(key, {0: n + 1}, before)

    def settle(self) -> None:
        while self.delivered < len(self.notices):
            self.deliver()
        while self.subscriber.due:
            self.read(10)


CHANGE = st.tuples(st.sampled_from("ab"), st.sampled_from(["new", "new", "talks", "won", ""]))
STEPS = st.lists(
    st.one_of(
        CHANGE.map(lambda change: ("commit", *change)),
        st.tuples(st.just("deliver")),
        st.tuples(st.just("read"), st.integers(1, 3), st.lists(CHANGE, max_size=2)),
        st.tuples(st.just("cut")),
    ),
    max_size=25,
)
SHOWN = (("commit", "a", "new"), ("deliver",), ("read", 1, []))
READ_BEFORE_ITS_NOTICE = (*SHOWN, ("commit", "a", "new"), ("deliver",), ("commit", "a", "won"), ("read", 1, []))
LEFT_WHILE_IT_WAS_SENT = (*SHOWN, ("commit", "a", "talks"), ("deliver",), ("read", 1, [("a", "won")]))


@settings(deadline=None, max_examples=1_000)
@example(READ_BEFORE_ITS_NOTICE)
@example(LEFT_WHILE_IT_WAS_SENT)
@given(steps=STEPS)
def test_a_board_ends_with_the_rows_that_fulfil_its_filter(steps: Sequence[tuple[Any, ...]]) -> None:
    """Commits, notices, reads and disconnects in any order. A card that left the column never stays on the board."""
    board = Board()
    for name, *arguments in steps:
        getattr(board, name)(*arguments)
    board.settle()
    assert board.shown == {key for key, stage in board.rows.items() if stage in ("new", "talks")}
    assert not board.subscriber.leaving


def test_rows_outside_of_the_filter_are_not_sent() -> None:
    one = Board().subscriber
    one.take("a", {0: 1}, None)
    one.take("b", {0: 2}, {"stage": "lost"})
    for key in one.next(10, at(2)):
        assert one.has_left(key, {"stage": "won"}) is None
        one.mark_sent(key, at(2), reported=False)


def test_a_row_with_unknown_values_may_be_followed() -> None:
    assert NEW.matches(UNKNOWN)
    assert NEW.matches({"owner": "olena"})
    assert not NEW.matches({"stage": None})
    phones = RowFilter((("phones", frozenset(["+380671234567"])),))
    assert phones.matches({"phones": ["+380501112233", "+380671234567"]})
    assert not phones.matches({"phones": []})


def test_every_projection_is_filtered_by_what_its_indexes_look_up() -> None:
    served = {name: list(followed(projection)) for name, projection in PROJECTIONS.items()}
    assert {"stage", "owner", "source", "contact", "external_id"} <= {*served["deal"]}
    assert set(served["contact"]) >= {"phone", "email", "account", "merged_into"}
    assert {"parked", "status", "deal", "contact"} <= {*served["payment"]}
    assert served["pipeline"] == []
    for projection in PROJECTIONS.values():
        assert not {"id", "after"} & set(followed(projection))


def test_arguments_become_a_filter() -> None:
    payment = PROJECTIONS["payment"]
    id = "0B0E9A5C-8E3C-4C1D-9E1C-1D9E0C6B7A10"
    assert row_filter(payment, {"parked": True, "deal": [id], "contact": None, "after": "0"}) == RowFilter(
        (("parked", frozenset([True])), ("deal_id", frozenset([id.lower()])))
    )
    assert row_filter(payment, {"after": "0"}) is None
    for values in ([], ["x"] * (MOST + 1)):
        with pytest.raises(BadInput) as refused:
            row_filter(PROJECTIONS["deal"], {"stage": values})
        assert f"`stage` has {len(values)} values, and a subscription takes 1 to 500 of them." in refused.value.message


def test_a_filter_without_an_index_is_refused_with_what_is_served() -> None:
    (error,) = problems(schema._schema, parse('subscription { dealChanged(title: "x") { id } }'), suggest=True)
    served = ", ".join(sorted(["id", *map(camel, followed(PROJECTIONS["deal"]))]))
    assert error.message == (
        "Unknown argument 'title' on field 'Subscription.dealChanged'. Nothing was read. A subscription is filtered "
        f"by columns that have an index, here: {served}. Choose by other columns in your program, or declare an index "
        "in the projection."
    )


def deal_row(stage: str, owner: str = "olena") -> Any:
    return msgspec.convert({**DEAL_ROW, "stage": stage, "owner": owner}, PROJECTIONS["deal"].row)


def test_only_rows_whose_indexed_columns_changed_say_what_they_were() -> None:
    changed_row, key = comparing(("stage", "owner")), KEYS[0]
    was = b'{"stage":"new","owner":"olena"}'
    assert changed_row(key, deal_row("new"), deal_row("won")) == (key, was)
    assert changed_row(key, deal_row("new"), None) == (key, was)
    assert changed_row(key, deal_row("new"), deal_row("new")) == (key, None)
    assert changed_row(key, None, deal_row("new")) == (key, None)
    assert changed_row(key, deal_row("new", "x" * 2_000), None) == (key, b"{}")
    assert comparing(("stage",))(key, deal_row("new"), None) == (key, b'{"stage":"new"}')
    assert comparing(())(key, deal_row("new"), None) == (key, None)


def test_notices_fit_into_postgres_and_name_every_row_once() -> None:
    values = msgspec.json.encode({"stage": "new", "owner": "олена" * 10})
    rows = [(key, values if n % 2 else None) for n, key in enumerate(KEYS)]
    reported = list(notices("deal_v3", KEYS[0], {partition: 10**18 for partition in range(12)}, rows))
    assert max(len(text.encode()) for text in reported) < 8_000
    found = [msgspec.json.decode(text) for text in reported]
    assert [key for one in found for key in one["keys"]] == KEYS
    assert {key for one in found for key in one["before"]} == set(KEYS[1::2])


def test_the_project_role_says_what_a_moved_row_was() -> None:
    batch: Any = ProjectionBatch(PROJECTIONS["deal"], [], {3: 8})
    batch.before = {(KEYS[9], KEYS[0]): deal_row("new"), (KEYS[9], KEYS[1]): None}
    batch.after = {(KEYS[9], KEYS[0]): deal_row("won"), (KEYS[9], KEYS[1]): deal_row("new")}
    (text,) = batch.changes()
    notice = msgspec.json.decode(text)
    assert notice.keys() == {"projection", "workspace", "keys", "at", "before"}
    assert (notice["keys"], notice["at"]) == (KEYS[:2], {"3": 8})
    assert notice["before"].keys() == {KEYS[0]}
    assert notice["before"][KEYS[0]].items() >= {("stage", "new"), ("owner", "olena"), ("contact_id", KEYS[0])}
