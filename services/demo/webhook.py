"""The story of a webhook: it is received, its receiver goes down and comes back, and nothing is missing."""

import asyncio
import time
from typing import Any

from msgspec import json

from services.demo.client import DemoClient, NotObserved
from services.outbound.webhooks.payload import key_of, sign

ADD = """mutation($input: WebhookAddInput!) { webhookAdd(input: $input) {
  webhook { id } secret userErrors { message } } }"""
REMOVE = """mutation($input: WebhookRemoveInput!) { webhookRemove(input: $input) { userErrors { message } } }"""
NOTE = """mutation($input: NoteAddInput!) { noteAdd(input: $input) { note { id } userErrors { message } } }"""
PATIENCE = 20.0  # seconds: the second attempt is made after five


async def a_webhook_misses_nothing(stage: DemoClient, deal: str) -> tuple[str, float]:
    assert stage.vendors
    wanted = {"url": stage.vendors.webhook, "types": ["NoteAdded"], "name": "crm demo"}
    made = (await done(stage, ADD, "webhookAdd", wanted))["webhookAdd"]
    try:
        stage.began = time.perf_counter()
        await note(stage, deal, "first")
        stage.accepted_ms = stage.elapsed()
        await arrives(stage, made["secret"], "first")
        first = stage.elapsed()
        stage.vendors.down = True
        await note(stage, deal, "second")
        await note(stage, deal, "third")
        async with asyncio.timeout(PATIENCE):
            while not stage.vendors.refused:
                await asyncio.sleep(0.01)
        stage.vendors.down = False
        await arrives(stage, made["secret"], "second")
        await arrives(stage, made["secret"], "third")
    finally:
        stage.vendors.down = False
        await done(stage, REMOVE, "webhookRemove", {"webhookId": made["webhook"]["id"]})
    text = f"signed, after {first:.0f} ms; its receiver went down, came back, and got the other two in their order"
    return text, stage.elapsed()


async def note(stage: DemoClient, deal: str, text: str) -> None:
    await done(stage, NOTE, "noteAdd", {"dealId": deal, "text": text})


async def done(stage: DemoClient, query: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    answer = await stage.ask(query, input=given)
    if problems := answer[name]["userErrors"]:
        raise NotObserved(f"{name} was refused: {problems[0]['message']}")
    return answer


async def arrives(stage: DemoClient, secret: str, text: str) -> None:
    """Waits for the next delivery. Raises NotObserved unless it is this note, and signed."""
    assert stage.vendors
    async with asyncio.timeout(PATIENCE):
        headers, body = await stage.vendors.delivered.get()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    if headers["webhook-signature"] != sign(key_of(secret), signed):
        raise NotObserved("a webhook came that its secret did not sign")
    if (found := json.decode(body)["data"]["text"]) != text:
        raise NotObserved(f"the webhook brought «{found}» in place of «{text}»")
