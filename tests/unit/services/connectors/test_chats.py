"""What chat vendors expect as an answer, and how what they send ends up in conversations."""

import json
from itertools import permutations

import pytest

from crm.connector import Answer, Delivery
from crm.envelope import Fact
from crm.errors import Refused
from crm.events import ContactCreated, ConversationOpened, MessageReceived, MessageStatusChanged
from services.connectors import CONNECTORS
from tests.support.connector_deliveries import NOW, connection
from tests.support.connector_samples import ConnectorSample, connector_samples
from tests.support.scenarios import given

SAMPLES = {sample.id: sample for sample in connector_samples()}
META = [name for name, connector in CONNECTORS.items() if "verify_token" in connector.settings.__struct_fields__]


def sample(name: str) -> ConnectorSample:
    return SAMPLES[f"{name}.json"]


def facts_of(found: ConnectorSample) -> list[Fact]:
    return found.received(found.sent())


def answer(name: str, **settings: str) -> Answer:
    found = sample(name)
    who = connection(found.vendor, found.connection.secret, **settings)
    webhook = CONNECTORS[found.vendor].webhook
    assert webhook
    return webhook.answer(found.sent(), who, found.received(found.sent()))


def test_viber_shows_a_welcome_to_who_opens_the_chat_and_to_nobody_else() -> None:
    welcome = {"welcome": "Вітаємо!", "welcome_from": "Крамниця"}
    given_back = answer("viber/conversation_started", **welcome)
    assert json.loads(given_back.body) == {"type": "text", "text": "Вітаємо!", "sender": {"name": "Крамниця"}}
    assert (given_back.status, given_back.content_type) == (200, "application/json")
    assert answer("viber/conversation_started").body == b""
    assert answer("viber/message_text", **welcome).body == b""


def test_jivo_waits_for_a_result() -> None:
    for event in ("chat_accepted", "chat_finished", "chat_assigned"):
        assert answer(f"jivo/{event}") == Answer(200, b'{"result":"ok"}', "application/json")


@pytest.mark.parametrize("name", META)
def test_meta_checks_the_address_with_the_verify_token(name: str) -> None:
    webhook, who = CONNECTORS[name].webhook, connection(name, verify_token="tok")
    assert webhook and webhook.handshake
    query = Delivery({}, b"", NOW, "hub.mode=subscribe&hub.verify_token=tok&hub.challenge=42", method="GET")
    assert webhook.handshake(query, who) == Answer(200, b"42")
    with pytest.raises(Refused, match="verify token"):
        webhook.handshake(query, connection(name, verify_token="other"))
    assert webhook.handshake(Delivery({}, b"{}", NOW), who) is None


def test_another_product_of_the_same_app_is_quarantined_with_a_sentence() -> None:
    page, app = sample("messenger/text"), sample("instagram/text")
    (fact,) = app.received(app.sent(body=page.delivery.body))
    reason = "Its object is 'page', not 'instagram': it belongs to another connection of the same app."
    assert getattr(fact, "reason", "") == reason


def test_a_widget_of_somebody_else_is_refused() -> None:
    found = sample("jivo/chat_accepted")
    with pytest.raises(Refused, match="widget"):
        CONNECTORS["jivo"].receive(found.sent(), connection("jivo", widget_id="1"))
    assert len(CONNECTORS["jivo"].receive(found.sent(), connection("jivo", widget_id="3948"))) == 1


@pytest.mark.parametrize("vendor", ["viber", "whatsapp", "messenger", "instagram", "chatwoot", "jivo", "telegram"])
def test_one_conversation_a_person_and_channel_whatever_comes_first(vendor: str) -> None:
    """All samples of a vendor, in their order and backwards: the same messages in the same conversations."""
    found = [one for one in SAMPLES.values() if one.vendor == vendor]
    facts = [fact for one in found for fact in facts_of(one)]
    stories = [given(*facts), given(*reversed(facts))]
    first, second = ({(e.channel, e.chat) for e in story.every(ConversationOpened)} for story in stories)
    assert first == second
    assert len(first) == len({*first})
    said = [{(e.conversation_id, e.message) for e in story.every(MessageReceived)} for story in stories]
    assert said[0] == said[1]
    people = [len(story.every(ContactCreated)) for story in stories]
    assert people[0] == people[1]


def test_statuses_out_of_order_and_before_the_message_end_with_the_furthest() -> None:
    parts = [sample("whatsapp/text"), sample("whatsapp/statuses_out_of_order"), sample("whatsapp/echo")]
    for order in permutations(parts):
        story = given(*(fact for one in order for fact in facts_of(one)))
        last = story.every(MessageStatusChanged)[-1]
        ours = next(e for e in story.every(MessageReceived) if e.direction == "out")
        assert (last.status, last.message_id, last.conversation_id) == ("read", ours.message_id, ours.conversation_id)
