"""Every sample of a connector that takes large deliveries means the same when its files are not in it."""

from email.message import EmailMessage
from functools import partial
from urllib.parse import urlencode

import pytest

from crm import claim_check
from crm.claim_check import check_in, claims_of, files_in, ref_of, same
from crm.connector import Delivery
from crm.shared import Attachment
from services.connectors import CONNECTORS
from services.connectors.mails.packed import repacked
from tests.support.connector_deliveries import connection, sent
from tests.support.connector_samples import ConnectorSample, captured_samples, connector_samples
from tests.support.large_mails import content, eml, multipart
from tests.support.needs import needs_samples
from tests.support.vendor_samples import FOLDER

LARGE = [sample for sample in (*connector_samples(), *captured_samples()) if CONNECTORS[sample.vendor].parts]
MAILS = sorted((FOLDER / "rfc822").glob("**/*.eml"))


@pytest.fixture(autouse=True)
def every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples are small: a reference stands for whatever is about as long as one."""
    monkeypatch.setattr(claim_check, "SMALLEST", 60)


def taken_out(vendor: str, delivery: Delivery, **settings: str) -> int:
    """Checks that the facts are the same without the files, and returns how many are not in the body."""
    own = CONNECTORS[vendor]
    assert own.parts
    read = partial(own.read, connection=connection(vendor, **settings))
    made, facts = check_in(own.parts, read, delivery, len(delivery.body) + 20_000), read(delivery)
    assert same(made.facts, facts) and same(read(made.delivery), facts)
    assert {ref: ref_of(stored) for ref, stored in made.contents.items()} == {ref: ref for ref in made.contents}
    claims = claims_of(made.delivery.headers)
    assert not (claims and claims.whole)
    assert {file.ref for file in claims.files} == made.contents.keys() if claims else not made.contents
    if b"\r\n" in delivery.body:  # and not written by hand
        assert {file.ref for file in files_in(facts) if is_plain_file(file)} <= made.contents.keys()
    return len(made.contents)


def is_plain_file(file: Attachment) -> bool:
    """Whether it is taken out: neither tiny nor a text that is shown as well, nor a mail within the mail."""
    shown = not file.name and file.media_type.startswith(("text/", "message/"))
    return file.size >= 60 and not shown and file.media_type != "message/rfc822"


@pytest.mark.parametrize("sample", LARGE, ids=repr)
def test_a_sample_means_the_same_without_its_files(sample: ConnectorSample) -> None:
    taken_out(sample.vendor, sample.sent(), **sample.connection.settings)


@needs_samples
def test_the_sample_mails_mean_the_same_however_a_vendor_posts_them() -> None:
    found = {"smtp": 0, "mailgun": 0, "sendgrid": 0}
    for file in MAILS:
        raw = file.read_bytes()
        form = urlencode({"recipient": "shop@example.com", "body-mime": raw}).encode()
        found["smtp"] += taken_out("smtp", sent(raw, "message/rfc822"))
        found["mailgun"] += taken_out("mailgun", sent(form, "application/x-www-form-urlencoded"))
        found["sendgrid"] += taken_out("sendgrid", sent(*multipart({"email": raw})))
    assert found["smtp"] == found["mailgun"] == found["sendgrid"] > 15


def test_of_a_mail_within_a_mail_the_files_are_taken_out_and_both_are_stored() -> None:
    inner, file = EmailMessage(), content(200_000)
    inner["From"], inner["Message-ID"] = "petro.test@example.net", "<inner@mail.example.net>"
    inner.set_content("Within")
    inner.add_attachment(file, maintype="image", subtype="png", filename="1.png")
    outer = EmailMessage()
    outer["From"], outer["Message-ID"] = "olena.test@example.net", "<outer@mail.example.net>"
    outer.set_content("See the mail")
    outer.add_attachment(inner)
    delivery = sent(outer.as_bytes(), "message/rfc822")
    read = partial(CONNECTORS["smtp"].read, connection=connection("smtp"))
    made = check_in(repacked, read, delivery, 10_000)
    assert taken_out("smtp", delivery) == 2
    refs = [found.ref for found in files_in(made.facts)]
    assert (made.contents[refs[0]], made.contents[refs[1]]) == (inner.as_bytes(), file)
    assert len(made.delivery.body) < 2_000


def test_a_repacking_that_changes_what_a_mail_says_is_not_used() -> None:
    """What was kept would mean something else when it is read again: then only the facts of the whole are right."""
    body = eml(content(200_000))
    read = partial(CONNECTORS["smtp"].read, connection=connection("smtp"))

    def wrong(body: bytes, content_type: str, stand_in: claim_check.StandIn) -> bytes:
        return repacked(body, content_type, stand_in).replace(b"Drawings", b"Drawinks")

    made = check_in(wrong, read, sent(body, "message/rfc822"), 50_000)
    claims = claims_of(made.delivery.headers)
    assert claims and claims.whole == ref_of(body)
    assert same(made.facts, read(sent(body, "message/rfc822")))
    assert (made.delivery.body, made.contents[claims.whole]) == (body[:50_000], body)
