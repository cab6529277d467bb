"""The processes as the supervisor's file says, which also holds a password that stays there."""

from pathlib import Path

from api.schema.processes import read
from services.stack import state
from services.stack.state import PartState, StackState


def test_each_process_with_its_restarts(tmp_path: Path) -> None:
    parts = [
        PartState("api", 7, 1_790_000_000.0, "ready", "", 2, "http://127.0.0.1:1"),
        PartState("relay", 8, 0.0, "starting", "Kafka", 0, ""),
    ]
    dsn = "postgresql://potik:secret@127.0.0.1/potik"
    state.write(tmp_path, StackState(1, 1.0, str(tmp_path), "kafka", dsn, "", "", "", parts))
    found = read(state.path(tmp_path))
    assert found is not None
    assert [(one.name, one.state, one.missing, one.restarts) for one in found] == [
        ("api", "ready", None, 2),
        ("relay", "starting", "Kafka", 0),
    ]
    assert [one.started_at and one.started_at.isoformat() for one in found] == ["2026-09-21T14:13:20+00:00", None]
    assert "secret" not in repr(found)


def test_where_nobody_writes_it_there_are_none(tmp_path: Path) -> None:
    assert read(state.path(tmp_path)) is None
    state.path(tmp_path).write_text("{")
    assert read(state.path(tmp_path)) is None
