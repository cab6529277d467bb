"""The demo stories: a customer who asks, pays, calls and writes; an ambiguous payment; a form with custom fields."""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from services.demo.client import DemoClient, NotObserved, StoryResult
from services.demo.connections import rehearsed
from services.demo.webhook import a_webhook_misses_nothing

CALLER = """query($phone: String!) { caller(phone: $phone) { owner
  contact { id name phones accounts } openDeals { id number title stage owner ownerReason amount { text minor } } } }"""
PAID = """query($id: ID!) { deal(id: $id) { number stage paid { text minor } amount { text }
  payments(first: 5) { nodes { status amount { text } why } } } }"""
DOUBTFUL = "{ payments(parked: true, first: 20) { nodes { id payment why candidates } } }"
SETTLE = """mutation($input: PaymentMatchInput!) { paymentMatch(input: $input) {
  payment { why } userErrors { message } } }"""
RINGING = """{ calls(ringing: true, first: 20) { nodes { phone owner contact { name }
  openDeals { number stage } } } }"""
TALK = """query($id: ID!) { contact(id: $id) { name phones accounts
  conversations(first: 5) { nodes { id channel messageCount lastText } } } }"""
REPLY = """mutation($input: ConversationReplyInput!) { conversationReply(input: $input) {
  message { id status } userErrors { message } } }"""
ANSWERED = """query($id: ID!) { conversation(id: $id) {
  messages(first: 10) { nodes { id text status message } } } }"""
FIELDS = """query($field: [FieldEquals!]) { deals(first: 5, field: $field) {
  nodes { number title owner fields } } }"""


class Customer:
    """A new customer for each run, so that the demo can be repeated."""

    def __init__(self) -> None:
        digits = f"{secrets.randbelow(10**7):07d}"
        self.name = f"Олена Коваль {digits[-3:]}"
        self.phone = f"067 {digits[:3]} {digits[3:5]} {digits[5:]}"
        self.e164 = f"+38067{digits}"
        self.chat = secrets.randbelow(2**40)
        self.number = time.time_ns() // 1000  # part of the vendors' ids
        self.contact = self.conversation = ""
        self.deal: dict[str, Any] = {}


async def a_form_becomes_a_deal(stage: DemoClient, who: Customer) -> tuple[str, float]:
    cart = {"orderid": str(who.number), "amount": "1250.00", "products": ["Стіл дубовий=1250"]}
    fields = {"Name": who.name, "Phone": who.phone, "utm_source": "google", "payment": json.dumps(cart)}
    await stage.post(*rehearsed("submit_form", stage.seed, fields))

    def opened(data: dict[str, Any]) -> dict[str, Any] | None:
        caller = data["caller"]
        return caller if caller["contact"] and caller["openDeals"] and caller["openDeals"][0]["owner"] else None

    caller, ms = await stage.see(CALLER, opened, "The deal", phone=who.phone)
    who.contact, who.deal = caller["contact"]["id"], caller["openDeals"][0]
    deal = who.deal
    return f"{who.name}: D-{deal['number']}, {deal['amount']['text']}, {deal['owner']} ({deal['ownerReason']})", ms


async def a_payment_finds_its_deal(stage: DemoClient, who: Customer) -> tuple[str, float]:
    purpose = f"Оплата за угоду D-{who.deal['number']}"
    part = f"demo-{who.number}", 50_000, purpose, who.number // 10**6
    await stage.post(*rehearsed("receive_transfer", stage.seed, *part))
    await stage.see(PAID, in_stage("part_paid"), "The part payment", id=who.deal["id"])
    rest = f"demo-{who.number}", 75_000, f"D-{who.deal['number']}"
    await stage.post(*rehearsed("receive_invoice", stage.seed, *rest))
    deal, ms = await stage.see(PAID, in_stage("paid"), "The payment", id=who.deal["id"])
    return f"D-{deal['number']}: {deal['paid']['text']} of {deal['amount']['text']}, stage {deal['stage']}", ms


async def a_doubtful_payment_waits_until_somebody_says(stage: DemoClient, who: Customer) -> tuple[str, float]:
    """A bank line names order N. D-N is one customer's deal, the shop's order N another's, and the sums are equal."""
    first = await a_deal_of(stage, Customer(), f"shop-{who.number}")
    second = await a_deal_of(stage, Customer(), str(first["number"]))
    name, comment = f"doubt-{who.number}", f"Оплата за замовлення №{first['number']}"
    line = name, 98_000, comment, who.number // 10**6
    await stage.post(*rehearsed("receive_transfer", stage.seed, *line))

    def parked(data: dict[str, Any]) -> dict[str, Any] | None:
        here = (node for node in data["payments"]["nodes"] if node["payment"] == name)
        return next((node for node in here if {first["id"], second["id"]} <= {*node["candidates"]}), None)

    payment, ms = await stage.see(DOUBTFUL, parked, "The doubtful payment")
    settled = {"paymentId": payment["id"], "dealId": second["id"], "why": "the customer said so"}
    answer = (await stage.ask(SETTLE, input=settled))["paymentMatch"]
    if answer["userErrors"]:
        raise NotObserved(f"paymentMatch was refused: {answer['userErrors'][0]['message']}")
    await stage.see(PAID, in_stage("paid"), "The settled payment", id=second["id"])
    return f"{payment['why']}\n  paymentMatch: it is for D-{second['number']}, which is paid now", ms


async def a_deal_of(stage: DemoClient, who: Customer, order: str) -> dict[str, Any]:
    """Posts an order for 980.00 and returns the deal that it became."""
    cart = {"orderid": order, "amount": "980.00", "products": ["Стілець=980"]}
    fields = {"Name": who.name, "Phone": who.phone, "payment": json.dumps(cart)}
    await stage.post(*rehearsed("submit_form", stage.seed, fields))

    def opened(data: dict[str, Any]) -> dict[str, Any] | None:
        return next(iter(data["caller"]["openDeals"]), None)

    return (await stage.see(CALLER, opened, "The order", phone=who.phone))[0]


async def a_caller_is_known_before_the_answer(stage: DemoClient, who: Customer) -> tuple[str, float]:
    called = who.number, "0" + who.e164[4:]
    await stage.post(*rehearsed("ring", stage.seed, *called))

    def ringing(data: dict[str, Any]) -> dict[str, Any] | None:
        return next((c for c in data["calls"]["nodes"] if c["phone"] == who.e164 and c["contact"]), None)

    call, ms = await stage.see(RINGING, ringing, "The ring")
    began, accepted = stage.began, stage.accepted_ms
    await stage.post(*rehearsed("hang_up", stage.seed, *called, 42))
    stage.began, stage.accepted_ms = began, accepted
    return f"{call['contact']['name']} is calling; owner {call['owner'] or 'nobody'}", ms


async def a_message_lands_on_the_card(stage: DemoClient, who: Customer) -> tuple[str, float]:
    update = who.number % 2**31
    await stage.post(*rehearsed("write", stage.seed, update, who.chat, "Доброго дня! Коли доставка?"))
    own = update + 1, who.chat, who.e164, "Олена"
    await stage.post(*rehearsed("share_contact", stage.seed, *own))

    def talking(data: dict[str, Any]) -> dict[str, Any] | None:
        contact = data["contact"]
        here = contact and [c for c in contact["conversations"]["nodes"] if c["messageCount"] >= 2]
        known = [account for account in contact["accounts"] if account.endswith(f":{who.chat}")] if here else []
        return contact if known else None

    contact, ms = await stage.see(TALK, talking, "The conversation", id=who.contact)
    talk = contact["conversations"]["nodes"][0]
    who.conversation = talk["id"]
    return f"{contact['name']}: {talk['messageCount']} messages in one conversation, known by phone and chat", ms


async def a_reply_arrives_in_the_chat(stage: DemoClient, who: Customer) -> tuple[str, float]:
    """The vendor is a simulated one. Its customer sees the answer; the card sees that it was sent."""
    assert stage.vendors
    said = f"Доставка у вівторок, {who.number % 100}"
    stage.began = time.perf_counter()
    answer = await stage.ask(REPLY, input={"conversationId": who.conversation, "text": said, "author": "olena"})
    stage.accepted_ms = stage.elapsed()
    if problems := answer["conversationReply"]["userErrors"]:
        raise NotObserved(f"conversationReply was refused: {problems[0]['message']}")
    chat = text = ""
    async with asyncio.timeout(20):
        while (chat, text) != (str(who.chat), said):
            chat, text = await stage.vendors.taken.get()
    arrived = stage.elapsed()

    def sent(data: dict[str, Any]) -> dict[str, Any] | None:
        nodes = [one for one in data["conversation"]["messages"]["nodes"] if one["text"] == said]
        return nodes[0] if nodes and nodes[0]["status"] == "sent" and nodes[0]["message"] else None

    message, ms = await stage.see(ANSWERED, sent, "The answer", timeout=20, id=who.conversation)
    return f"«{text}» arrived in the chat after {arrived:.0f} ms, and is {message['status']} on the card", ms


async def a_webhook(stage: DemoClient, who: Customer) -> tuple[str, float]:
    return await a_webhook_misses_nothing(stage, who.deal["id"])


async def custom_fields_are_kept(stage: DemoClient, who: Customer) -> tuple[str, float]:
    incident = f"INC-{who.number}"
    report = {"incident": incident, "area_m2": 54.5, "injured": False, "damage": ["дах", "вікна"], "name": "ОСББ"}
    await stage.post(*rehearsed("submit_report", stage.seed, report | {"email": f"osbb{who.number}@example.ua"}))

    def kept(data: dict[str, Any]) -> dict[str, Any] | None:
        nodes = data["deals"]["nodes"]
        return nodes[0] if nodes and nodes[0]["fields"]["area_m2"] == 54.5 else None

    wanted = [{"name": "incident", "equals": incident}, {"name": "injured", "equals": False}]
    deal, ms = await stage.see(FIELDS, kept, "The report", field=wanted)
    return f"D-{deal['number']}: found by incident = {incident} and injured = false", ms


def in_stage(name: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda data: data["deal"] if data["deal"]["stage"] == name else None


REPLIED = "a reply arrives in the chat"
WEBHOOK = "a webhook is received and misses nothing"
SIMULATED = REPLIED, WEBHOOK  # of a stack that has simulated vendors
Story = Callable[[DemoClient, Customer], Awaitable[tuple[str, float]]]
STORIES: dict[str, Story] = {
    "a form becomes a contact and a deal": a_form_becomes_a_deal,
    "a caller is known before the answer": a_caller_is_known_before_the_answer,
    "payments find their deal": a_payment_finds_its_deal,
    "a doubtful payment waits for a person": a_doubtful_payment_waits_until_somebody_says,
    "a chat joins the card": a_message_lands_on_the_card,
    REPLIED: a_reply_arrives_in_the_chat,
    WEBHOOK: a_webhook,
    "custom fields are kept and found": custom_fields_are_kept,
}


async def run_stories(stage: DemoClient, report: Callable[[StoryResult], None]) -> list[StoryResult]:
    """Runs all stories one after the other. A failed story does not stop the rest."""
    who, results = Customer(), []
    for name, story in STORIES.items():
        if name in SIMULATED and stage.vendors is None:
            continue
        try:
            card, visible_ms = await story(stage, who)
            one = StoryResult(name, True, round(stage.accepted_ms, 1), round(visible_ms, 1), card)
        except Exception as error:  # the other stories still run
            one = StoryResult(name, False, round(stage.accepted_ms, 1), 0.0, f"{type(error).__name__}: {error}")
        report(one)
        results.append(one)
    return results
