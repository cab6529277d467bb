"""Every sender, by its samples: the request that a reply becomes, and what each answer of the vendor means."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from crm.connector_send import Accepted, Ask, CannotSend, Failed, Later, Page, Send, Sending, Uncertain
from crm.send_limits import Limits, problem_of_file, problem_of_text, problem_of_window
from services.connectors import CONNECTORS
from tests.support.scenarios import NOON
from tests.support.sent_samples import SECRET, SentSample, reported, request_of, sending_of, sent_samples

SENDERS = [name for name, connector in CONNECTORS.items() if connector.send]
SAMPLES = sent_samples()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_a_reply_becomes_exactly_this_request(sample: SentSample) -> None:
    assert request_of(sample.send, sample.sending) == sample.whole["request"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_each_answer_means_exactly_this(sample: SentSample) -> None:
    assert [reported(sample.send.outcome(page, sample.sending)) for page, _ in sample.answers] == [
        outcome for _, outcome in sample.answers
    ]


@pytest.mark.parametrize("name", SENDERS)
def test_every_sender_has_samples_of_what_is_taken_and_refused(name: str) -> None:
    outcomes = [outcome for sample in SAMPLES if sample.vendor == name for _, outcome in sample.answers]
    assert {"accepted", "failed"} <= {kind for outcome in outcomes for kind in outcome}


def a_sample(name: str) -> SentSample:
    return next(sample for sample in SAMPLES if sample.vendor == name)


def answered(sample: SentSample, status: int, body: bytes = b"", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sample.send.outcome(Page(Ask(), body, NOON, named, status), sample.sending)


@pytest.mark.parametrize("name", SENDERS)
def test_what_may_have_been_sent_is_never_taken_for_refused(name: str) -> None:
    """A sender that took "502 Bad Gateway" for a refusal would send the customer the same twice."""
    sample = a_sample(name)
    in_doubt = Later if sample.send.idempotent else Uncertain
    for status in (500, 502, 504, 408, 302):
        for body in (b"", b"<html>Bad Gateway</html>", b"[]", b'{"ok": true}'):
            assert isinstance(answered(sample, status, body), in_doubt), (status, body)


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b"7", b'{"error": []}', b"\xff\xfe"])
def test_an_answer_that_cannot_be_read_is_an_outcome(name: str, body: bytes) -> None:
    for status in (200, 201, 202, 400, 401, 403, 404, 422):
        assert isinstance(answered(a_sample(name), status, body), Accepted | Failed | Later | Uncertain)


@pytest.mark.parametrize("name", SENDERS)
def test_patience_is_what_the_vendor_asks_for(name: str) -> None:
    sample = a_sample(name)
    assert answered(sample, 429, retry_after="7") == Later("The vendor answered 429.", 7.0)
    assert answered(sample, 429) == Later("The vendor answered 429.", 5.0)
    assert answered(sample, 429, retry_after="86400").seconds == 3_600
    assert answered(sample, 429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT").seconds == 5.0
    assert answered(sample, 503, retry_after="30") == Later("The vendor answered 503.", 30.0)


@pytest.mark.parametrize("name", [name for name in SENDERS if name != "viber"])  # its secret is its token
def test_without_what_it_is_sent_with_there_is_a_sentence(name: str) -> None:
    with pytest.raises(CannotSend, match=r"This connection has no \w+: answers are sent with it"):
        sample = a_sample(name)
        has = {key: text for key, text in sample.whole["settings"].items() if key not in sample.send.limits.needs}
        without = sending_of(name, {"reply": {"text": "x"}, "settings": has}).connection
        sample.send.request(replace(sample.sending, connection=without))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_the_id_of_a_reply_is_in_its_request_where_the_vendor_hands_it_back(sample: SentSample) -> None:
    knows = sample.vendor not in ("telegram", "viber", "instagram")
    assert (sample.sending.key in json.dumps(sample.whole["request"])) == knows


def test_no_sample_holds_a_secret_that_could_be_real() -> None:
    assert all(
        "TEST-" in text for sample in SAMPLES for name, text in sample.whole["settings"].items() if "token" in name
    )
    assert SECRET.startswith("TEST-")


LIMITS = Limits(text=5, caption=2, file_bytes=1_000_000, window_hours=24, templates=True)


def test_a_limit_is_exact() -> None:
    assert problem_of_text(LIMITS, "acme", "їїїїї", 0) == ""
    assert problem_of_text(LIMITS, "acme", "їїїїїї", 0) == "acme takes at most 5 characters, and this text has 6."
    assert "next to a file" in problem_of_text(LIMITS, "acme", "їїї", 1)
    assert problem_of_text(Limits(text_bytes=4), "acme", "їїї", 0) == (
        "acme takes a text of at most 4 bytes, and this one has 6."
    )
    assert problem_of_text(Limits(caption=-1), "acme", "x", 1) == "acme takes a file without a text: send two messages."
    assert problem_of_file(LIMITS, "acme", 1_000_000) == ""
    photos = replace(LIMITS, kind_bytes={"photo": 500_000})
    assert problem_of_file(photos, "acme", 600_000, "video") == ""
    why = "acme takes photos of at most 0.5 MB, and this one has 0.6 MB."
    assert problem_of_file(photos, "acme", 600_000, "photo") == why
    assert problem_of_file(LIMITS, "acme", 1_500_000) == "acme takes files of at most 1 MB, and this one has 1.5 MB."


def test_a_window_is_exact() -> None:
    day = 24 * 3_600_000_000
    assert problem_of_window(LIMITS, "acme", NOON, NOON + day) == ""
    assert problem_of_window(LIMITS, "acme", NOON, NOON + day + 1).startswith(
        "acme lets a customer be answered for 24 hours, and this one wrote 24 hours ago."
    )
    assert "has never written here" in problem_of_window(LIMITS, "acme", 0, NOON)
    assert problem_of_window(Limits(), "acme", 0, NOON) == ""


def test_a_planted_sender_that_repeats_in_doubt_is_found() -> None:
    careless = Send("https://acme.example", lambda sending: Ask(), idempotent=True)
    reply = Sending(a_sample("telegram").sending.reply, a_sample("telegram").sending.connection)
    assert isinstance(careless.outcome(Page(Ask(), b"", NOON, {}, 502), reply), Later)
    assert not a_sample("telegram").send.idempotent
