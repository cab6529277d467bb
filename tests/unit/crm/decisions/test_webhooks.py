"""Commands on webhooks: what they write, and what they refuse in plain words."""

import base64
from typing import Any

import pytest

from crm.commands import Code
from crm.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookDeliveriesSettled,
    WebhookRemoved,
    WebhookReplayed,
    WebhookRotated,
    WebhookTested,
)
from crm.scalars import Id, Micros
from crm.topics import JOURNAL
from projections.webhook import WebhookRow, webhook
from tests.support.operator_session import OperatorSession, operator_session

URL = "https://example.com/hooks"
SECRET = "whsec_" + base64.b64encode(b"a" * 32).decode()


def session() -> tuple[OperatorSession, WebhookAdded]:
    given = operator_session().do("webhook_add", url=URL, types=["DealOpened"], secret=SECRET)
    (added,) = given.events
    assert isinstance(added, WebhookAdded)
    return given, added


def rows(*events: Any) -> WebhookRow | None:
    row: WebhookRow | None = None
    for event in events:
        row = webhook.fold(row, event)
    return row


def test_a_webhook_is_added_changed_and_removed() -> None:
    given, added = session()
    assert (added.name, added.url, added.types, added.thin) == ("example.com", URL, ("DealOpened",), False)
    assert added.meta.stream == added.webhook_id
    (changed,) = given.do("webhook_change", webhook_id=added.webhook_id, enabled=False, types=["DealOpened"]).events
    assert changed == WebhookChanged(changed.meta, added.webhook_id, enabled=False)
    row = rows(added, changed)
    assert row is not None
    assert (row.enabled, row.types, row.version) == (False, ("DealOpened",), 2)
    given.refuses("webhook_change", "", Code.UNCHANGED, webhook_id=added.webhook_id, enabled=False)
    given.refuses(
        "webhook_change", "expectedVersion", Code.VERSION_CONFLICT, webhook_id=added.webhook_id, expected_version=1
    )
    (removed,) = given.do("webhook_remove", webhook_id=added.webhook_id).events
    assert removed == WebhookRemoved(removed.meta, added.webhook_id, "example.com")
    assert rows(added, changed, removed) is None
    for name in ("webhook_remove", "webhook_test", "webhook_retry"):
        given.refuses(name, "webhookId", Code.NOT_FOUND, webhook_id=added.webhook_id)


def test_no_secret_is_in_the_journal() -> None:
    given, added = session()
    given.do("webhook_rotate", webhook_id=added.webhook_id, secret=SECRET)
    assert SECRET not in repr(given.decide.journal)
    (rotated,) = given.events
    assert isinstance(rotated, WebhookRotated)
    assert rotated.both_until == rotated.meta.recorded_at + 24 * 3_600_000_000


@pytest.mark.parametrize(
    ("field", "code", "said"),
    [
        ("url", Code.INVALID, {"url": "http://example.com/"}),
        ("url", Code.INVALID, {"url": "https://10.0.0.1/"}),
        ("url", Code.INVALID, {"url": "no url"}),
        ("types", Code.NOT_FOUND, {"types": ["DealOpend"]}),
        ("stages", Code.NOT_FOUND, {"stages": ["nowhere"]}),
        ("secret", Code.INVALID, {"secret": "short"}),
        ("secret", Code.INVALID, {"secret": "whsec_" + base64.b64encode(b"a" * 23).decode()}),
    ],
)
def test_what_cannot_be_sent_is_refused(field: str, code: Code, said: dict[str, Any]) -> None:
    assert (
        operator_session().refuses("webhook_add", field, code, **{"url": URL, **said}).endswith("Nothing was changed.")
    )


def test_hosts_of_a_developer_are_allowed() -> None:
    given = operator_session().do("webhook_add", url="http://127.0.0.1:9000/", private_hosts=["127.0.0.1"])
    (added,) = given.events
    assert isinstance(added, WebhookAdded)
    assert added.since == added.meta.recorded_at


def test_a_replay_starts_at_a_moment_or_at_positions() -> None:
    given, added = session()
    (replayed,) = given.do("webhook_replay", webhook_id=added.webhook_id, since=0).events
    assert replayed == WebhookReplayed(replayed.meta, added.webhook_id, Micros(0))
    positions = [1] * JOURNAL.partitions
    (replayed,) = given.do("webhook_replay", webhook_id=added.webhook_id, positions=positions).events
    assert replayed == WebhookReplayed(replayed.meta, added.webhook_id, Micros(0), tuple(positions))
    given.refuses("webhook_replay", "since", Code.REQUIRED, webhook_id=added.webhook_id)
    given.refuses("webhook_replay", "positions", Code.INVALID, webhook_id=added.webhook_id, positions=[1, 2])


def test_tests_and_what_was_given_up() -> None:
    given, added = session()
    (tested,) = given.do("webhook_test", webhook_id=added.webhook_id).events
    assert tested == WebhookTested(tested.meta, added.webhook_id, "It works.")
    (again,) = given.do("webhook_retry", webhook_id=added.webhook_id).events
    assert again == WebhookDeliveriesSettled(again.meta, added.webhook_id, True, ())
    one = Id(added.webhook_id)
    (never,) = given.do("webhook_discard", webhook_id=added.webhook_id, delivery_ids=[one]).events
    assert never == WebhookDeliveriesSettled(never.meta, added.webhook_id, False, (one,))
