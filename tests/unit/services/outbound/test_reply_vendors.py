"""What becomes of a request: what surely stayed here is tried again, what may have gone out is not."""

import asyncio
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from crm.connector_send import Accepted, CannotSend, Failed, Later, Outcome, Uncertain
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.outbound.replies.attempts import attempted
from services.outbound.replies.smtp import answered
from services.outbound.replies.vendor import SendingVendors
from tests.support.scenarios import NOON
from tests.support.sent_samples import SentSample, sent_samples

SAMPLES = {sample.id: sample for sample in sent_samples()}


class Line(httpx.AsyncBaseTransport):
    """A line to a vendor that answers, or breaks in this way."""

    def __init__(self, answer: httpx.Response | Exception | None) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        assert self.answer
        return self.answer


def sent(sample: SentSample, answer: httpx.Response | Exception | None, **environment: str) -> tuple[Outcome, Line]:
    line = Line(answer)
    vendors = SendingVendors(lambda: Micros(NOON), environment, line, seconds=0.05)
    found = asyncio.run(vendors.call(CONNECTORS[sample.vendor], sample.sending))
    return found.outcome, line


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
@pytest.mark.parametrize("id", ["telegram/text", "resend/reply"])
def test_what_did_not_leave_is_tried_again(id: str, error: Exception) -> None:
    assert isinstance(sent(SAMPLES[id], error)[0], Later)


@pytest.mark.parametrize(
    "error",
    [httpx.ReadError("reset"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("broke off"), None],
    ids=["reset", "slow", "broke off", "says nothing"],
)
def test_what_may_have_left_is_uncertain_unless_the_vendor_knows_a_repetition(error: Exception | None) -> None:
    assert isinstance(sent(SAMPLES["telegram/text"], error)[0], Uncertain)
    assert isinstance(sent(SAMPLES["resend/reply"], error)[0], Later)


def test_the_request_goes_where_the_vendor_is_or_where_a_test_says() -> None:
    sample = SAMPLES["telegram/text"]
    good = httpx.Response(200, json={"ok": True, "result": {"message_id": 42}})
    outcome, line = sent(sample, good)
    assert outcome == Accepted("42")
    assert str(line.requests[0].url) == sample.whole["request"]["url"]
    _, line = sent(sample, good, CRM_VENDOR_URL_TELEGRAM="http://127.0.0.1:9")
    assert str(line.requests[0].url).startswith("http://127.0.0.1:9/bot")


def test_a_reply_of_which_no_request_can_be_made_fails_with_a_sentence() -> None:
    sample = SAMPLES["telegram/text"]
    bare = SentSample("", "telegram", {**sample.whole, "settings": {}})
    outcome, line = sent(bare, httpx.Response(200))
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("This connection has no token")
    assert line.requests == []


def test_a_server_of_peoples_own_must_be_public() -> None:
    whole: dict[str, Any] = SAMPLES["chatwoot/text"].whole
    site = {**whole["settings"], "site": "https://127.0.0.1"}
    outcome, line = sent(SentSample("", "chatwoot", {**whole, "settings": site}), httpx.Response(200))
    assert outcome == Failed("The host 127.0.0.1 is in a private network: it is not asked.")
    assert line.requests == []


def test_what_is_reported_is_the_same_fact_twice_and_holds_no_secret() -> None:
    sample = SAMPLES["telegram/text"]
    (page, _), *_ = sample.answers
    page = replace(page, body=b'{"ok": true}', headers={"content-type": "application/json", "set-cookie": "x"})
    reply, connection = sample.sending.reply, sample.sending.connection
    token = sample.whole["settings"]["token"]
    first, again = (
        attempted(reply, 1, outcome, Micros(NOON + n), page, connection)
        for n, outcome in enumerate((Failed(f"no bot {token}"), Failed("no bot")))
    )
    assert first.meta.id == again.meta.id
    assert first.reason == "no bot ***"
    assert first.raw.headers == {":status": "200", "content-type": "application/json"}
    assert attempted(reply, 2, Failed("x"), NOON, None, None).meta.id != first.meta.id
    assert attempted(reply, 1, Uncertain("x"), NOON, None, None).outcome == "uncertain"


def test_what_a_mail_server_says_means_what_its_code_means() -> None:
    send = CONNECTORS["smtp"].send
    assert send
    sending = SAMPLES["smtp/reply"].sending
    ask = send.request(sending)
    assert isinstance(send.outcome(answered(ask, 250, b"queued"), sending), Accepted)
    assert send.outcome(answered(ask, 451, b"greylisted"), sending) == Later("451 greylisted", 300.0)
    assert send.outcome(answered(ask, 550, "no such user"), sending) == Failed("550 no such user")


def test_a_mail_without_an_address_of_ours_is_not_sent() -> None:
    whole = SAMPLES["smtp/reply"].whole
    bare = SentSample("", "smtp", {**whole, "settings": {"smtp_host": "mail.example.com"}})
    send = CONNECTORS["smtp"].send
    assert send
    with pytest.raises(CannotSend, match="no reply_from"):
        send.request(bare.sending)
