"""Replays of a small archive: one process folds it, as starting each costs more than all that it does."""

import os

import pytest


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes: tests/integration/streams/replay."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
