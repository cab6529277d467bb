"""Mails larger than a record on a real Kafka, with their files in a folder."""

import asyncio
from pathlib import Path

import pytest

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.safe_http import SafeHttp
from crm.attachments import StoredLink, Wanted
from crm.envelope import now
from services.attachments.fetching import Fetching
from services.attachments.sources import Sources
from tests.integration.services.intake.test_intake import Tail, intake_log
from tests.support.intake_server import WORKSPACE
from tests.support.large_mails import MailIntake, only_mail
from tests.support.large_mails_suite import BIG, FILES, LargeMailsSuite

__all__ = ["intake_log"]


@pytest.fixture
def mails(kafka_bootstrap: str, intake_log: tuple[KafkaLog, asyncio.Runner], tmp_path: Path) -> MailIntake:
    log, runner = intake_log
    tail = Tail(kafka_bootstrap)
    runner.run(tail.begin())
    return MailIntake(log, runner.run, lambda: runner.run(tail.records()), AttachmentStore.open(str(tmp_path)))


class TestLargeMailsOnKafka(LargeMailsSuite):
    pass


def test_the_role_attachments_finds_the_file_stored(mails: MailIntake, tmp_path: Path) -> None:
    """Nothing is fetched: neither the record nor the vendor has the file."""
    mails.mail("mailgun", BIG)
    fact = only_mail(mails.facts)

    async def run() -> StoredLink | None:
        store = AttachmentStore.open(str(tmp_path))
        async with SafeHttp() as http:
            await Fetching(store, Sources(http), now).fetch_all([Wanted(WORKSPACE, fact.attachments[0])])
        return await store.link(WORKSPACE, FILES[0].ref)

    digest = FILES[0].ref.removeprefix("sha256:")
    assert mails.run(run()) == StoredLink(FILES[0].ref, digest, "image/png", len(BIG), "0.png")
