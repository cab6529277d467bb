"""Describes the error that ended a rebuild in a sentence."""

import errno

import psycopg
from aiokafka.errors import KafkaError

from crm.errors import CrmError

SERVER_ERRORS = (psycopg.Error, KafkaError, OSError, TimeoutError)  # not the journal's or a fold's


def sentence(error: BaseException) -> str:
    """Returns what happened, what was kept, and what to do."""
    match error:
        case CrmError():
            return str(error)
        case psycopg.errors.DiskFull() | OSError(errno=errno.ENOSPC):
            said = str(error).strip().splitlines()[0]
            return f"The disk is full ({said}). Nothing was swapped. Make room and run it again."
        case psycopg.Error():
            return f"Postgres: {str(error).strip()}. Nothing was swapped. Run it again."
        case KafkaError() | OSError() | TimeoutError():
            return f"Kafka: {error!r}. Nothing was swapped. Run it again."
    return f"{error!r}. Nothing was swapped. This is a bug: please report it."
