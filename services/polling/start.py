"""From which moment on a connection is asked at first."""

from datetime import date, datetime, time

from crm import zones
from crm.connector_poll import SECOND, Poll
from crm.delivery import Connection
from crm.scalars import Micros


def start_of(connection: Connection, poll: Poll, began: Micros) -> Micros:
    """Returns the midnight of the setting `since` in the workspace's time zone, else `poll.back` seconds before it was
    asked for the first time."""
    text = connection.settings.get("since", "").strip()
    try:
        zone = zones.of_workspace(connection.home.timezone)
        return Micros(int(datetime.combine(date.fromisoformat(text), time(), zone).timestamp()) * SECOND)
    except ValueError:
        return Micros(began - poll.back * SECOND)
