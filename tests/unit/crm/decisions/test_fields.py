"""Story 5: any custom fields are kept with their types; and what means nothing is kept as well."""

import hashlib
import json

from msgspec.structs import replace

from crm.events import ContactCreated, DealAssigned, DealOpened, DeliveryNoted, FactQuarantined
from crm.facts import DeliveryKept, DeliveryQuarantined, TokenDeclared
from crm.scalars import Id
from crm.shared import AssignmentRule, Attachment, Raw
from tests.support.scenarios import RAW, SHOP, an, form, given, meta, shop

INCIDENT = {"severity": "3", "injured": "false", "where": '{"lat": 50.45}', "tags": '["gas", "fire"]', "note": '"—"'}


def test_a_form_of_any_kind_keeps_its_fields_and_files() -> None:
    photo = Attachment("photo", "a.jpg", "image/jpeg", 10)
    given().when(form("1", form="Incident", fields=INCIDENT, files=(photo,), utm={"source": "gov"})).then(
        an(ContactCreated, name=""),
        an(DealOpened, title="Incident", fields=INCIDENT, files=(photo,), utm={"source": "gov"}),
        an(DealAssigned),
    )


def test_nul_never_reaches_the_journal() -> None:
    """One NUL in a name would have stopped every projection: Postgres holds it neither in text nor in jsonb."""
    said = form("1", name="Oleh\0Buk", emails=("xena\0@yes.ua",), fields={"n\0": '"\\u0000"'}, reference="\0")
    story = given().when(said)
    assert story.contacts()[0].name == "Oleh\ufffdBuk"
    assert story.contacts()[0].identifiers == ()
    unread = "The e-mail 'xena\ufffd@yes.ua' cannot be read with certainty: it is kept as it was written."
    assert story.every(DealOpened)[0].doubts == (unread,)
    assert story.every(DealOpened)[0].fields == {"n\ufffd": '"\\ufffd"'}


def test_a_field_that_is_no_json_is_kept_as_a_string() -> None:
    """A client wrote fields straight to Kafka; jsonb would have refused them."""
    wrong = {"plain": "text", "empty": "", "half": '"\\ud800"', "nan": "NaN", "deep": "[" * 5000, "right": "[1, 2.50]"}
    story = given(*shop(AssignmentRule("Plain", ("anna",), field="plain", value="TEXT"))).when(form("1", fields=wrong))
    kept = story.every(DealOpened)[0].fields
    assert kept == {name: value if name == "right" else json.dumps(value) for name, value in wrong.items()}
    assert story.events[-1].owner == "anna"
    again = form("2", fields=wrong, phones=["+380501112233"])
    story.when(again, form("3", fields=wrong, phones=["+380501112233"])).then(an(DeliveryNoted))


def test_a_delivery_that_means_nothing_is_noted() -> None:
    given().when(DeliveryKept(meta("1"), RAW, "telegram", "poll")).then(
        an(DeliveryNoted, connector="telegram", kind="poll", why="it means nothing here yet; kept raw")
    )


def test_a_delivery_that_cannot_be_read_waits_with_an_excerpt() -> None:
    body = b"\xff\0" + b"a" * 600
    given().when(DeliveryQuarantined(meta("1"), Raw("text/plain", {}, "", body), "liqpay", "not JSON")).then(
        an(
            FactQuarantined,
            quarantine_id=meta("1").id,
            connector="liqpay",
            reason="not JSON",
            content_type="text/plain",
            size=602,
            sha256=hashlib.sha256(body).hexdigest(),
            excerpt="\ufffd\ufffd" + "a" * 498,
        )
    )


def test_a_fact_of_an_unknown_workspace_is_quarantined() -> None:
    nowhere = Id("99999999-9999-5999-8999-999999999999")
    said = form("1")
    given().when(replace(said, meta=replace(said.meta, workspace=nowhere))).then(
        an(
            FactQuarantined,
            reason=f"There is no workspace {nowhere}. The delivery is kept. "
            "Create it with `crm workspace create --id`, then run `crm quarantine reparse --all`.",
        )
    )


def test_a_fact_that_nothing_is_decided_on_is_quarantined() -> None:
    given().when(TokenDeclared(meta("1"), SHOP, "t", "", ())).then(
        an(FactQuarantined, reason="Nothing is decided on a TokenDeclared. It is kept. Send it to its own topic.")
    )
