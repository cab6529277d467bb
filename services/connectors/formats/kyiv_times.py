"""Times of Ukrainian delivery services: in Kyiv's time, in several forms within one answer."""

from datetime import datetime

from crm.errors import Malformed
from crm.scalars import Micros
from crm.zones import of_workspace
from services.connectors.formats.times import from_datetime

_FORMS = ("%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%H:%M %d.%m.%Y")
_FIRST_YEAR = 2000  # 0001-01-01 is written for no time


def kyiv_moment(text: str) -> Micros | None:
    """Returns 2026-09-14 15:24:19, 14-09-2026 15:24:19, 14.09.2026 15:24:19 or 15:24 14.09.2026; None for no time.

    A time with its zone is read as such. Raises Malformed for what is no time.
    """
    if not text:
        return None
    moment = _moment(text)
    if moment.year < _FIRST_YEAR:
        return None
    return from_datetime(moment.isoformat(), of_workspace("Europe/Kyiv"))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise Malformed(f"{text[:40]!r} is no time.")
