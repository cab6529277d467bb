"""A contact and a deal with a long history, as events of one stream."""

from collections.abc import Iterator
from itertools import count, cycle

from crm.envelope import Event, named_id
from crm.events import ContactCreated, ContactRenamed, DealAssigned, DealOpened, DealPaid, DealStageMoved
from crm.scalars import Id, Micros
from crm.shared import Meta

BEGAN = 1_750_000_000_000_000  # microseconds since 1970
MINUTE, LATE = 60_000_000, 7 * 1440 * 60_000_000
STAGES = ("new", "talks", "offer", "agreed")


def long_history(workspace: Id, number: int) -> Iterator[Event]:
    """Yields `number` events. Payments are reported a week late, so that the two clocks differ."""
    contact, deal = named_id(workspace, "long-lived"), named_id(workspace, "its deal")
    ids, stages, paid = count(), cycle(zip(STAGES, (*STAGES[1:], STAGES[0]), strict=True)), count(100, 100)

    def meta(late: int = 0) -> Meta:
        n = next(ids)
        at = BEGAN + n * MINUTE
        cause = named_id(contact, f"cause {n}")
        fields = Micros(at - late), Micros(at), "site", cause, "crm.intake.forms", 0, n, "rule: site"
        return Meta(named_id(contact, str(n)), workspace, contact, *fields)

    yield ContactCreated(meta(), contact, "Olena Kovalenko", "form", {})
    yield DealOpened(
        *(meta(), deal, contact, 1, "Order 1", 1_000_000, "UAH", "new", "form", "order", "/p/7"),
        fields={"size": '"L"'},
        utm={},
    )
    for n in range(number - 2):
        match n % 10:
            case 3 | 7:
                sum_ = next(paid)
                yield DealPaid(
                    meta(LATE), deal, contact, named_id(deal, str(n)), sum_, 100, 0, "UAH", "Found by its reference"
                )
            case 5:
                yield DealAssigned(meta(), deal, contact, f"owner{n % 4}@shop.ua", "site", 1, "Takes turns")
            case 9:
                yield ContactRenamed(meta(), contact, f"Olena Kovalenko {n}", "A longer name was sent")
            case _:
                yield DealStageMoved(meta(), deal, contact, *next(stages), "Moved by hand")
