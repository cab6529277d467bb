"""Reports of parcels, in the form that all delivery services share: a table of statuses, Kyiv's times, sums."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from crm.connector import Delivery, Report
from crm.connector_poll import Ask, Auth, Poll, Subjects, Turn
from crm.facts import ParcelReported
from crm.money import to_minor
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree
from services.connectors.formats.kyiv_times import kyiv_moment
from services.connectors.formats.values import text

UNKNOWN_TIME = "when it changed is not known"


def parcel_poll(
    base: str, ask: Callable[[Turn], Ask], auth: Auth | None = None, *, batch: int = 1, every: int = 1_800, **more: Any
) -> Poll:
    """Returns a poll of the parcels on their way, of which there is no list: each is asked about every time, `batch`
    in a request, `every` so many seconds. `more`: other fields of Poll."""
    return Poll(base, ask, auth, cursor=None, subjects=Subjects("parcels", batch), every=every, **more)


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

    def newest(self, events: Sequence[Tree], name: str) -> tuple[Micros | None, Tree]:
        """Returns the last of the events and its time, which is in the field `name`; of two of one time, the later in
        the answer."""
        moments = [self.moment(event, name, doubt=UNKNOWN_TIME) for event in events]
        last = max((at or 0, place) for place, at in enumerate(moments))[1]
        return moments[last] or None, events[last]

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
