"""What must hold for mails larger than a record on any log: run on memory, and on Kafka in tests/integration."""

from hashlib import sha256

import pytest
from msgspec.structs import replace

from crm.claim_check import CLAIMS, claims_of
from crm.connector import Delivery
from crm.facts import DeliveryQuarantined
from crm.shared import Attachment
from services.connectors import CONNECTORS
from services.connectors.rehearsal import rehearsals
from tests.support.intake_server import NOON
from tests.support.large_mails import AS_POSTED, SEED, TEXT, MailIntake, content, eml, only_mail

BIG, SMALL = content(2_500_000), content(2_000, b"2")
FILES = tuple(
    Attachment("file", f"{number}.png", "image/png", len(file), f"sha256:{sha256(file).hexdigest()}")
    for number, file in enumerate((BIG, SMALL))
)
each_form = pytest.mark.parametrize("form", AS_POSTED)


class LargeMailsSuite:
    @each_form
    def test_its_files_are_stored_and_the_rest_is_a_small_record(self, mails: MailIntake, form: str) -> None:
        assert (mails.mail(form, BIG, SMALL).status_code, len(mails.records())) == (200, 1)
        fact = only_mail(mails.facts)
        assert (fact.subject, fact.text, fact.attachments) == ("Drawings", TEXT, FILES)
        assert len(mails.records()[0].value or b"") < 10_000
        claims = claims_of(fact.raw.headers)
        assert claims and [(file.ref, file.size) for file in claims.files] == [(FILES[0].ref, len(BIG))]
        assert claims.stored
        assert FILES[0].ref.encode() in fact.raw.body or form != "sendgrid"
        assert (mails.stored(FILES[0].ref), mails.stored(FILES[1].ref)) == (BIG, None)  # the small one is in the record

    @each_form
    def test_what_was_kept_is_read_as_what_came(self, mails: MailIntake, form: str) -> None:
        mails.mail(form, BIG, SMALL)
        fact, vendor = only_mail(mails.facts), form.split()[0]
        assert mails.read_again(fact) == [fact]
        whole = Delivery({"content-type": AS_POSTED[form]()[1]}, AS_POSTED[form](BIG, SMALL)[0], NOON)
        (same,) = CONNECTORS[vendor].read(rehearsals()[vendor].sign(whole, SEED), mails.connection(vendor))
        assert replace(same, raw=fact.raw, meta=fact.meta) == fact
        assert same.meta.id == fact.meta.id

    def test_a_repeated_one_is_the_same_fact_and_the_same_file(self, mails: MailIntake) -> None:
        assert [mails.mail("postmark", BIG).status_code for _ in range(2)] == [200, 200]
        first, second = mails.facts
        assert first == second

    @pytest.mark.parametrize("form", ["postmark", "mailgun", "sendgrid", "sendgrid raw"])
    def test_of_a_forged_one_nothing_is_kept(self, mails: MailIntake, form: str) -> None:
        answer = mails.post(form.split()[0], *AS_POSTED[form](BIG), seed="a stranger's")
        assert (answer.status_code, "Nothing was kept" in answer.text, mails.records()) == (401, True, [])
        assert mails.stored(FILES[0].ref) is None

    def test_a_signed_one_whose_file_was_changed_is_refused(self, mails: MailIntake) -> None:
        """The proof is for the whole body, also for what is not kept in the record."""
        body, kind = AS_POSTED["sendgrid"](BIG)
        signed = rehearsals()["sendgrid"].sign(Delivery({"content-type": kind}, body, NOON), SEED)
        changed = body.replace(BIG[1_000_000:1_000_010], b"0123456789")
        assert mails.send("sendgrid", changed, signed.headers).status_code == 401
        assert mails.records() == []
        assert mails.send("sendgrid", body, signed.headers).status_code == 200

    def test_a_text_larger_than_a_record_is_shown_and_the_whole_is_stored(self, mails: MailIntake) -> None:
        body = eml(SMALL, text="Рядок листа\n" * 300_000)
        assert mails.post("smtp", body, "message/rfc822").status_code == 200
        fact, ref = only_mail(mails.facts), f"sha256:{sha256(body).hexdigest()}"
        assert fact.text.startswith("Рядок листа\nРядок листа\n")
        assert (fact.subject, [file.ref for file in fact.attachments]) == ("Drawings", [FILES[1].ref])
        assert (mails.stored(ref), mails.stored(FILES[1].ref)) == (body, SMALL)
        assert fact.raw.body == body[:1_800_000]
        (again,) = mails.read_again(fact)
        assert isinstance(again, DeliveryQuarantined)
        assert again.reason == (
            f"It is larger than one record. Only its beginning is here; the whole is stored as {ref}."
        )

    def test_one_that_cannot_be_read_goes_to_quarantine_with_the_whole_stored(self, mails: MailIntake) -> None:
        body = AS_POSTED["postmark"](BIG)[0][:-1]
        assert mails.post("postmark", body, "application/json").status_code == 200
        (fact,), ref = mails.facts, f"sha256:{sha256(body).hexdigest()}"
        assert isinstance(fact, DeliveryQuarantined)
        assert fact.reason.endswith(f" Only its beginning is here; the whole is stored as {ref}.")
        assert "truncated" in fact.reason
        assert (mails.stored(ref), fact.raw.body) == (body, body[:1_800_000])
        assert mails.read_again(fact) == [fact]

    def test_a_file_that_looks_like_a_stand_in_is_what_it_is(self, mails: MailIntake) -> None:
        """Else a client that knows the digest of a file could have it shown as a file of its own mail."""
        mails.mail("smtp", BIG)
        stand_in = FILES[0].ref.encode()
        mails.mail("smtp", stand_in)
        mails.mail("smtp", stand_in, content(300_000, b"3"))
        for fact in mails.facts[1:]:
            assert fact.attachments[0].ref == f"sha256:{sha256(stand_in).hexdigest()}"
            assert fact.attachments[0].size == len(stand_in)
        assert CLAIMS not in mails.facts[1].raw.headers
