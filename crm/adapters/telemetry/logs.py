"""Structured logs: one line an occurrence, ids to follow one fact through all roles, personal data masked."""

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

from crm.settings import Settings

PERSONAL = re.compile(r"(?<![\w-])\+?\d[\d ()-]{7,}\d(?![\w-])|[\w.+-]+@[\w-]+\.[\w.]+|crm_live_[\w-]+")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
OWN = ("timestamp", "level", "role")
# The last is Faust's, named by subclass.
NOISY = ("aiokafka", "faust", "mode", "asyncio", "uvicorn", "streams.runtime.worker")


class RateLimit(logging.Filter):
    """At most `burst` lines a second and logger: one broker outage writes 1,650 lines a worker otherwise."""

    def __init__(self, burst: int = 3) -> None:
        super().__init__()
        self.burst = burst
        self.seen: dict[str, tuple[int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno <= logging.DEBUG:
            return True  # somebody follows a fact
        second = int(time.monotonic())
        at, count = self.seen.get(record.name, (second, 0))
        count = count + 1 if at == second else 1
        self.seen[record.name] = second, count
        return count <= self.burst


def mask_personal(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Phones, e-mails and tokens become ***; ids and counts stay."""
    for key, value in event.items():
        if key not in OWN:
            event[key] = masked(value)
    return event


def masked(value: Any) -> Any:
    match value:
        case str():
            return value if ID.fullmatch(value) else PERSONAL.sub("***", value)
        case list() | tuple():
            return [masked(item) for item in value]
        case dict():
            return {masked(name): masked(item) for name, item in value.items()}
    return value


def debugging() -> bool:
    """Somebody wants a line for each fact and event: ask once a batch."""
    return logging.getLogger().isEnabledFor(logging.DEBUG)


def configure(settings: Settings, role: str) -> None:
    """For an entry file, once. Lines go to standard output; libraries' own lines from warning on."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_personal,
    ]
    render: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), pad_event_to=0)
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=shared))
    handler.addFilter(RateLimit())
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
