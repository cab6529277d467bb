"""The history fields of Query: lists and the funnel as of a time, and why a field has its value."""

from datetime import datetime
from types import GenericAlias
from typing import Any

import strawberry

from api.history.asof import LONGEST, AsOf, StageTotal, contacts_as_of, deals_as_of, funnel
from api.history.stage_times import ABOUT, StageTime, stage_times
from api.history.why import Why, why
from api.schema.fields import Argument, field
from api.schema.filters import ALSO_MERGED

WHEN = Argument(AsOf, about="The point in time.")
FIRST = Argument(int, 20, f"How many rows to return, 1 to {LONGEST}.")


def history_fields(deal: Any, contact: Any) -> dict[str, Any]:
    """Returns fields of Query that fold events; an operation may fold a limited number of them."""
    of_deals = {
        "stage": Argument(str | None, None, "Only deals that were in this stage at that time."),
        "owner": Argument(
            str | None, None, 'Only deals of this salesperson at that time; `""`: deals without an owner.'
        ),
        "contact": Argument(
            strawberry.ID | None, None, "Only deals of this contact and of contacts merged into it by that time."
        ),
    }
    return {
        "deals_as_of": field(
            GenericAlias(list, deal),
            {"as_of": WHEN, "first": FIRST, **of_deals},
            deals_as_of,
            "Deals as of a point in time, last changed first.",
        ),
        "contacts_as_of": field(
            GenericAlias(list, contact),
            {"as_of": WHEN, "first": FIRST, "include_merged": Argument(bool, False, ALSO_MERGED)},
            contacts_as_of,
            "Contacts as of a point in time, last changed first.",
        ),
        "funnel": field(
            GenericAlias(list, StageTotal),
            {"as_of": WHEN},
            funnel,
            "Number and amounts of deals in each stage, as of a point in time.",
        ),
        "stage_times": field(
            GenericAlias(list, StageTime),
            {
                "from_": Argument(datetime | None, None, "Only deals that were opened from this moment on."),
                "to": Argument(datetime | None, None, "Only deals that were opened before this moment."),
            },
            stage_times,
            ABOUT,
        ),
        "why": field(
            GenericAlias(list, Why),
            {
                "type": Argument(str, about="Name of the type, such as Deal."),
                "id": Argument(strawberry.ID, about="Id of the object."),
                "field": Argument(str, about="Name of the field, such as stage."),
                "all": Argument(bool, False, "true: the last 20 changes, newest first. Default: only the last change."),
            },
            why,
            "Explains why a field has its value: the event, the rule or person, and the delivery behind it.",
        ),
    }
