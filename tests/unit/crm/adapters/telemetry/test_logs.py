"""Logs: personal data masked, ids kept, floods cut short, libraries quiet."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from crm.adapters.telemetry import logs
from crm.settings import Settings

ID = "5d9b2f5e-6c1e-4f0b-8f4c-2f1f0f3a9b11"


def masked(**said: object) -> dict[str, object]:
    return dict(logs.mask_personal(None, "info", dict(said)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+380501112233", "***"),
        ("380501112233", "***"),
        ("call from +38 (050) 111-22-33 ended", "call from *** ended"),
        ("phone=0501112233,", "phone=***,"),
        ("Oleh <oleh.p+crm@mail.ua.net> wrote", "Oleh <***> wrote"),
        ("Bearer crm_live_AbC_123", "Bearer ***"),
        ("crm_live_AbC-12-3 is refused", "*** is refused"),
        ("two: a@b.ua and +380501112233", "two: *** and ***"),
    ],
)
def test_phones_mails_and_tokens_are_masked(text: str, shown: str) -> None:
    assert masked(event=text, why=text) == {"event": shown, "why": shown}


@pytest.mark.parametrize(
    "text",
    [
        ID,
        "11111111-1111-5111-8111-111111111111",
        f"deal at {ID}",
        "crm.journal/0: position 5",
        "120000",
    ],
)
def test_ids_and_counts_stay(text: str) -> None:
    assert masked(event=text, fact=text) == {"event": text, "fact": text}


def test_what_is_inside_is_masked_too() -> None:
    """Only plain texts were once: a phone in a list went out as it was."""
    said = {"events": [f"DealOpened {ID}", "+380501112233"], "count": 380501112233, "stream": {ID: "a@b.ua"}}
    assert masked(**said) == {"events": [f"DealOpened {ID}", "***"], "count": 380501112233, "stream": {ID: "***"}}


def test_a_flood_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most three lines a second and logger."""
    clock = [100.0]
    monkeypatch.setattr("crm.adapters.telemetry.logs.time.monotonic", lambda: clock[0])
    limit = logs.RateLimit(burst=3)

    def let(name: str) -> bool:
        return limit.filter(logging.LogRecord(name, logging.INFO, "", 0, "line", None, None))

    assert [let("aiokafka") for _ in range(5)] == [True, True, True, False, False]
    assert let("faust") is True
    assert limit.filter(logging.LogRecord("aiokafka", logging.DEBUG, "", 0, "of a fact", None, None)) is True
    clock[0] = 101.0
    assert let("aiokafka") is True


@pytest.fixture
def undone() -> Iterator[None]:
    """What `configure` changes is as before after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for name in logs.NOISY:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("undone")
def test_a_line_is_json_with_its_role(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"), "decide")
    structlog.get_logger().info("took", fact=ID, phone="+380501112233")
    structlog.get_logger().debug("is not shown")
    logging.getLogger("somebody").info("mail %s", "a@b.ua")
    own, foreign = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert own.pop("timestamp").endswith("Z")
    assert own == {"event": "took", "fact": ID, "phone": "***", "role": "decide", "level": "info"}
    assert (foreign["event"], foreign["role"], foreign["level"]) == ("mail ***", "decide", "info")


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("level", ["info", "debug"])
def test_libraries_are_heard_from_warning_on(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Faust's consumer logs under a name made of its module: `[^-Consumer]: Starting...` came through at each start."""
    logs.configure(Settings(log_level=level), "decide")
    for name in ("aiokafka.consumer", "faust.app", "mode.worker", "asyncio", "streams.runtime.worker"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("of %s", name)
    said = capsys.readouterr().out
    assert "chatter" not in said
    assert said.count("of ") == 5


@pytest.mark.usefixtures("undone")
def test_an_exception_is_logged_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"), "decide")
    try:
        raise ValueError("no +380501112233")
    except ValueError:
        structlog.get_logger().exception("a decision stumbled", fact=ID)
    (line,) = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert logged["exception"].startswith("Traceback (most recent call last):")
    assert logged["exception"].endswith("ValueError: no ***")
