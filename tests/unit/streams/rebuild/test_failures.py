"""Errors that end a rebuild are described in a sentence."""

import errno
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from aiokafka.errors import KafkaConnectionError

from crm.errors import Broken
from streams.rebuild.failures import sentence
from streams.rebuild.fold.time_limit import FoldTimeout, work_limit


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Broken("A sentence."), "A sentence."),
        (
            psycopg.errors.DiskFull("could not extend file: No space left on device\nHINT:  Check free disk space."),
            "The disk is full (could not extend file: No space left on device). Nothing was swapped. "
            "Make room and run it again.",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "The disk is full ([Errno 28] No space left on device). Nothing was swapped. Make room and run it again.",
        ),
        (psycopg.OperationalError("gone\n"), "Postgres: gone. Nothing was swapped. Run it again."),
        (
            KafkaConnectionError("away"),
            "Kafka: KafkaConnectionError('away'). Nothing was swapped. Run it again.",
        ),
        (KeyError("x"), "KeyError('x'). Nothing was swapped. This is a bug: please report it."),
    ],
)
def test_what_is_said(error: BaseException, said: str) -> None:
    assert sentence(error) == said


def test_a_fold_that_does_not_end_is_stopped_in_any_thread() -> None:
    stopped()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(stopped).result()


def stopped() -> None:
    with pytest.raises(FoldTimeout, match="did not return"), work_limit(0.05):
        while True:
            pass
