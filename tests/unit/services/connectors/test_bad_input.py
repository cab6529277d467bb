"""Whatever comes in: taken exactly, quarantined with its bytes and a reason, or refused: never a stray exception."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.connector import Connection
from crm.envelope import Fact
from crm.errors import Malformed, Refused
from crm.facts import DeliveryQuarantined, FormSubmitted
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED
from services.connectors.rehearsal import rehearsals
from tests.support.connector_deliveries import NOW, connection, delivery, json_post, only, receive
from tests.support.rehearse import (
    Post,
    form,
    keys,
    liqpay_callback,
    monobank_invoice,
    telegram_message,
)

SITE = connection("form")
KEY, PUBLIC_KEY = keys("bad input")
BANK, LIQPAY, BOT = connection("monobank", PUBLIC_KEY), connection("liqpay"), connection("telegram")


def reason(who: Connection, post: Post) -> str:
    fact = only(who, post)
    assert isinstance(fact, DeliveryQuarantined)
    assert fact.raw.body == post[1]
    return fact.reason


@pytest.mark.parametrize(
    ("post", "why"),
    [
        (({}, b""), "The body is empty."),
        (({"content-type": "image/png"}, b"\x89PNG"), "A form does not come as 'image/png'."),
        (json_post(b'{"a":'), "It is not JSON"),
        (json_post(b"[1]"), "A JSON object was expected."),
        (json_post(b'{"a":' * 5_000 + b"1" + b"}" * 5_000), "nested deeper than 32"),
        (json_post(b'{"a":' * 40 + b"1" + b"}" * 40), "nested deeper than 32"),
        (json_post(b'{"a":' + b"9" * 5_000 + b"}"), "It is not JSON"),
        (json_post(b'{"a":NaN}'), "It is not JSON"),
        (({"content-type": URLENCODED}, b"&".join([b"a=1"] * 10_001)), "more than 10000 fields"),
        (({"content-type": URLENCODED}, b"a" + b"[x]" * 40 + b"=1"), "nested deeper than 32"),
        (({"content-type": "multipart/form-data"}, b"--x"), "without its boundary"),
        (({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\nContent-Disp"), "cut off"),
        (({"content-type": "multipart/form-data; boundary=x"}, b"nothing"), "cannot be read"),
    ],
)
def test_a_form_that_cannot_be_understood(post: Post, why: str) -> None:
    assert why in reason(SITE, post)


def test_two_without_a_body_are_two_when_they_were_sent_to_other_addresses() -> None:
    """One hid the other in quarantine: both had the id of no bytes."""
    first, again, other = [
        CONNECTORS["form"].receive(replace(delivery(({}, b"")), path="/in/1", query=query), SITE)[0]
        for query in ("phone=0670000001", "phone=0670000001", "phone=0670000002")
    ]
    assert isinstance(first, DeliveryQuarantined) and first.meta.id == again.meta.id != other.meta.id


def test_a_gzip_bomb_is_a_strange_form_and_no_bomb() -> None:
    assert "A form does not come as" in reason(SITE, ({"content-type": "application/gzip"}, b"\x1f\x8b" * 100))


def test_an_id_past_53_bits_is_kept_to_the_last_digit() -> None:
    fact = only(BOT, telegram_message("TEST_secret", 2**63 + 1, -(2**62 + 1), "привіт"))
    assert (fact.chat, fact.message) == (str(-(2**62 + 1)), str(2**63 + 1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"amount": 2**63}, "64 bits"),
        ({"amount": 1.5}, "no whole number"),
        ({"amount": None}, "does not say 'amount'"),
        ({"ccy": 999}, "no currency"),
        ({"invoiceId": ""}, "does not say 'invoiceId'"),
        ({"cancelList": [{"status": "success", "amount": 2**62}] * 4}, "64 bits"),
    ],
)
def test_an_absurd_invoice_is_quarantined(changes: dict[str, object], why: str) -> None:
    assert why in reason(BANK, monobank_invoice(KEY, "i1", 4_200, **changes))


def test_a_date_in_the_year_1_is_exact() -> None:
    fact = only(BANK, monobank_invoice(KEY, "i1", 4_200, modifiedDate="0001-01-01T00:00:00Z"))
    assert fact.changed_at == -62_135_596_800_000_000
    before = only(BANK, monobank_invoice(KEY, "i1", 4_200, modifiedDate="0001-01-01T00:00:00+02:00"))
    assert before.doubts == ("when it changed is not known: It names a moment outside the years 1 to 9999.",)


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"modifiedDate": "yesterday"}, "when it changed is not known: 'yesterday' is no moment in ISO 8601."),
        ({"status": "vanished"}, "its status 'vanished' is not known here: no money is counted for it"),
        (
            {"cancelList": [{"status": "success", "amount": "half"}]},
            "how much went back is not certain: 'amount' is no whole number of 64 bits: 'half'.",
        ),
        (
            {"finalAmount": "all"},
            "what is left of it is not certain: 'finalAmount' is no whole number of 64 bits: 'all'.",
        ),
        ({"cancelList": "none", "paymentInfo": {"maskedPan": ["4444"]}}, ""),
    ],
)
def test_what_cannot_be_read_of_an_invoice_is_said_and_the_payment_is_kept(
    changes: dict[str, object], doubt: str
) -> None:
    """The bug: one of these put the whole payment into quarantine, and reading it again said the same."""
    fact = only(BANK, monobank_invoice(KEY, "i1", 4_200, **changes))
    assert (fact.amount_minor, fact.currency, fact.doubts) == (4_200, "UAH", (doubt,) if doubt else ())
    assert fact.status == ("created" if "status" in changes else "settled")


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"end_date": "soon"}, "when it changed is not known: 'end_date' is no whole number of 64 bits: 'soon'."),
        (
            {"refund_amount": "1,234"},
            "how much went back is not certain: '1,234' cannot be read as one certain sum of money.",
        ),
        ({"sender_phone": "050 111"}, ""),
    ],
)
def test_what_cannot_be_read_of_a_liqpay_payment_is_said_and_the_payment_is_kept(
    changes: dict[str, object], doubt: str
) -> None:
    fact = only(LIQPAY, liqpay_callback("TEST_secret", 1, "42.00", **changes))
    assert (fact.amount_minor, fact.refunded_minor, fact.doubts) == (4_200, 0, (doubt,) if doubt else ())
    assert fact.payer.phone == changes.get("sender_phone", fact.payer.phone)


@pytest.mark.parametrize("amount", ["1.005", "NaN", "1e400", "", "-", "1,234", "багато"])
def test_a_liqpay_sum_that_is_no_sum_is_quarantined(amount: str) -> None:
    assert reason(LIQPAY, liqpay_callback("TEST_secret", 1, amount))


@pytest.mark.parametrize("changes", [{"date": 10**15}, {"date": "soon"}, {"chat": {}}, {"message_id": None}])
def test_an_odd_value_costs_no_telegram_message(changes: dict[str, object]) -> None:
    """It lay in quarantine, and nobody answered the person who wrote it."""
    fact = only(BOT, telegram_message("TEST_secret", 1, 2, "привіт", **changes))
    assert (fact.chat, fact.sender, fact.text, fact.direction) == ("2", "2", "привіт", "in")


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
WORDS = """
    payment_id status amount currency end_date data invoiceId modifiedDate ccy finalAmount cancelList type
    statementItem hold time requestType callDetails generalCallID startTime update_id message chat date
    entry changes messages statuses messaging sender recipient event message_token user_id event_name visitor chat_id
    conversation contact_inbox object mid status call postback delivery read
    contact photo fields value form_response answers rawRequest namedValues payment message_id id from
"""
NAMES = st.sampled_from(WORDS.split())
RECEIVING = sorted(name for name, connector in CONNECTORS.items() if connector.webhook)
TREES = st.dictionaries(NAMES, JSONS | NAMES | st.dictionaries(NAMES, JSONS))


def of_vendor(name: str, **more: str) -> Connection:
    vendor = rehearsals()[name]
    return connection(name, vendor.secret_of("bad"), **vendor.settings("bad"), **more)


def authentic(who: Connection, post: Post) -> list[Fact] | None:
    """The facts of a request with its vendor's proof; None where there is nothing that the vendor could sign."""
    try:
        proven = rehearsals()[who.connector].sign(delivery(post), "bad")
    except Malformed:
        return None
    return CONNECTORS[who.connector].receive(proven, who)


def steady(who: Connection, post: Post) -> None:
    """The same facts twice, and no connector stumbled."""
    facts = authentic(who, post) or []
    assert [fact.meta.id for fact in facts] == [fact.meta.id for fact in authentic(who, post) or []]
    assert "could not read it" not in "".join(f.reason for f in facts if isinstance(f, DeliveryQuarantined))
    assert all(fact.meta.recorded_at == NOW for fact in facts)


@settings(max_examples=3 * settings.default.max_examples)
@given(TREES, st.sampled_from(RECEIVING))
@example({}, "wayforpay")  # an object without fields got a comma before its signature
def test_any_authentic_json_gives_the_same_facts_twice(tree: dict[str, object], name: str) -> None:
    steady(of_vendor(name), json_post(json.dumps(tree).encode()))


CONTENT_TYPES = st.text() | st.sampled_from(
    [
        *(
            URLENCODED,
            URLENCODED + "; charset=cp1251",
            URLENCODED + "; charset=rot13",
            "application/json",
            "text/plain",
        ),
        *("multipart/form-data; boundary=b", "multipart/form-data; boundary=", "multipart/form-data; boundary=\u00e9"),
    ]
)
BODIES = (
    st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.from_regex(
        rb"(\[?[a-c{}\[\]]{1,8}=[%0-9A-F+a-z\[\]{}\"]{0,12}&){1,6}"
        rb"|(--b(\r\n[A-Za-z:;=\" ]{0,40}){0,4}\r\n\r\n.{0,9}\r\n)*--b--"
    )
)


@settings(max_examples=3 * settings.default.max_examples)
@given(CONTENT_TYPES, BODIES, st.sampled_from(RECEIVING))
def test_any_bytes_are_facts_or_refused(content_type: str, body: bytes, name: str) -> None:
    more = {"company_id": "1"} if name == "binotel" else {}
    with suppress(Refused):
        steady(of_vendor(name, **more), ({"content-type": content_type}, body))


def test_more_fields_than_any_form_has_are_quarantined_whole() -> None:
    body = json.dumps({f"f{i}": i for i in range(10_001)}).encode()
    assert reason(SITE, json_post(body)) == "The form has more than 10000 fields."


def test_ten_thousand_phones_are_not_one_persons() -> None:
    fact, rest = receive(SITE, form({f"tel-{i}": f"067{i:07d}" for i in range(10_000)}))
    assert isinstance(fact, FormSubmitted)
    assert (len(fact.phones), len(fact.fields)) == (20, 500)
    assert isinstance(rest, DeliveryQuarantined)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\\ud83d", "\ufffd"),
        ("a\\uDE00", "a\ufffd"),
        ("\\ud83d\\ude00\\ud83d", "\U0001f600\ufffd"),
        ("\\ud83d\\u0061", "\ufffda"),
        ("a\\u0000b", "a\ufffdb"),
        ("a\\\\u0000", "a\\u0000"),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_half_of_a_character_costs_nothing_else(text: str, kept: str) -> None:
    """A form with half an emoji, or a NUL, was quarantined whole: nobody called the sender back."""
    fact = only(SITE, json_post(b'{"phone":"0671234567","comment":"%s"}' % text.encode()))
    assert fact.phones[0].e164 == "+380671234567"
    assert json.loads(fact.fields["comment"]) == kept


def test_a_number_past_all_measure_is_named() -> None:
    """It was quarantined as InvalidOperation([<class 'decimal.InvalidOperation'>]), which says nothing to people."""
    assert reason(SITE, json_post(b'{"a":1e99999999999999999999}')) == "It holds a number past all measure."


@pytest.mark.parametrize("media", [URLENCODED, "text/plain", ""])
def test_xml_is_no_form_under_any_content_type(media: str) -> None:
    """An XML bomb sent as a form became a deal with entities for fields."""
    assert (
        reason(SITE, ({"content-type": media}, b' <?xml version="1.0"?>'))
        == "It is XML or HTML, which no form comes as."
    )
