"""Meta's signature and its question whether an address is ours."""

import pytest

from crm.connector import Answer, Delivery
from crm.errors import Refused
from services.connectors.signatures.meta import SIGNATURE, answer_challenge, meta_signature, verify_meta
from tests.support.connector_deliveries import NOW
from tests.support.needs import needs_samples
from tests.support.vendor_samples import published_vector


def get(query: str) -> Delivery:
    return Delivery({}, b"", NOW, query, method="GET")


@needs_samples
def test_the_published_signature_is_accepted_and_its_negatives_are_not() -> None:
    vector = published_vector("whatsapp/signature")
    sent, secret = vector["body"].encode(), vector["app_secret"]
    assert meta_signature(sent, secret) == vector["expected"]
    verify_meta(Delivery({SIGNATURE: vector["expected"]}, sent, NOW), secret)
    for wrong in vector["negatives"]:
        headers = {SIGNATURE: wrong.get("header_value", vector["expected"])}
        with pytest.raises(Refused, match="Nothing was kept"):
            verify_meta(Delivery(headers, wrong.get("body", vector["body"]).encode(), NOW), secret)


@pytest.mark.parametrize("headers", [{}, {SIGNATURE: ""}, {SIGNATURE: "sha256="}, {SIGNATURE: "sha256=é"}])
def test_a_missing_or_empty_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="signature does not match"):
        verify_meta(Delivery(headers, b"{}", NOW), "s3cret")


def test_the_challenge_goes_back_to_who_knows_the_token() -> None:
    query = "hub.mode=subscribe&hub.verify_token=tok%20en&hub.challenge=1158201444"
    assert answer_challenge(get(query), "tok en") == Answer(200, b"1158201444")
    with pytest.raises(Refused, match="verify token does not match"):
        answer_challenge(get(query), "another")
    with pytest.raises(Refused, match="has no verify token"):
        answer_challenge(get("hub.mode=subscribe&hub.verify_token=&hub.challenge=1"), "")


def test_what_is_no_challenge_is_none() -> None:
    assert answer_challenge(get("hub.challenge=1"), "token") is None
    assert answer_challenge(Delivery({}, b"", NOW, "hub.mode=subscribe&hub.verify_token=token"), "token") is None
