"""The watch over the vendors' webhooks goes on whatever happens, and logs what a person may want to know."""

import asyncio
from typing import Any

import pytest
import structlog

from crm.activation.outcome import Activated
from services.stack import activation
from tests.support.secret_keys import KEYS


def test_what_was_set_again_or_needs_a_person_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"connection": "c-1", "connector": "telegram", "name": "Bot"}
    rounds: list[Any] = [
        OSError("Kafka is away"),
        [(one, Activated(True)), (one, Activated(True, done=("The webhook is set at telegram.",)))],
        [(one, Activated(False, next="Set CRM_PUBLIC_URL."))],
    ]

    async def check(bootstrap: str, workspace: None, connector: str, base: str, keys: Any) -> Any:
        if not rounds:
            raise asyncio.CancelledError
        found = rounds.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(activation, "check_connections", check)
    with structlog.testing.capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        asyncio.run(activation.watch("", "https://crm.example.com", KEYS, 0))
    assert [(log.get("error"), log.get("done"), log.get("next")) for log in logs] == [
        ("OSError('Kafka is away')", None, None),
        (None, "The webhook is set at telegram.", ""),
        (None, "", "Set CRM_PUBLIC_URL."),
    ]
