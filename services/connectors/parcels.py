"""Reports of parcels, in the form that all delivery services share: a table of statuses, Kyiv's times, sums."""

from functools import partial
from typing import Any

from crm.connector import Delivery, Report
from crm.connector_poll import Ask
from crm.facts import ParcelReported
from crm.money import to_minor
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, encode
from services.connectors.formats.kyiv_times import kyiv_moment
from services.connectors.formats.values import text


def post_json(path: str, body: Any) -> Ask:
    """Returns a request with a body in JSON."""
    return Ask(path, method="POST", body=encode(body).encode(), headers={"content-type": "application/json"})


class ParcelReading(Doubts):
    """What one service says of one parcel in hryvnias and Kyiv's time. What is not certain is left out and said."""

    def moment(self, tree: Tree, *names: str, doubt: str = "") -> Micros | None:
        """Returns the first of these times that is one. `doubt`: what is said of one that cannot be read."""
        for name in names:
            written = text(tree, name)
            if found := self.read(partial(kyiv_moment, written), None, doubt or f"{name} is not certain"):
                return found
        return None

    def minor(self, tree: Tree, *names: str) -> int | None:
        """Returns the first of these sums that is more than nothing, in kopecks; None when there is none."""
        for name in names:
            written = text(tree, name)
            if written and (found := self.read(partial(to_minor, written, "UAH"), None, f"{name} is not certain")):
                return found
        return None

    def report(
        self,
        delivery: Delivery,
        service: str,
        number: str,
        status: str,
        code: str,
        at: Micros | None,
        *key: str,
        **said: Any,
    ) -> Report:
        """Returns the report of a status. `at`: when it changed. `key`: what tells it from others of the parcel.
        `said`: other fields of ParcelReported."""
        fact = partial(
            ParcelReported,
            service=service,
            tracking_number=number,
            status=status,
            status_code=code,
            changed_at=at,
            doubts=tuple(self),
            **said,
        )
        return Report("/".join((number, *key)), number, delivery.received_at if at is None else at, fact)
