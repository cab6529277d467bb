"""Questions to history: lists and the funnel as of a moment, and why a field has its value."""

from types import GenericAlias
from typing import Any

import strawberry

from api.history.asof import LONGEST, AsOf, StageTotal, contacts_as_of, deals_as_of, funnel
from api.history.why import Why, why
from api.schema.fields import Argument, field
from api.schema.filters import ALSO_MERGED

WHEN = Argument(AsOf, about="The moment, and by which clock.")
FIRST = Argument(int, 20, f"1 to {LONGEST}.")


def past(deal: Any, contact: Any) -> dict[str, Any]:
    """Fields of Query. Each folds events; what one operation may fold is limited."""
    of_deals = {
        "stage": Argument(str | None, None, "That were in this stage then."),
        "owner": Argument(str | None, None, "That this salesperson had then; empty finds those of nobody."),
        "contact": Argument(strawberry.ID | None, None, "Of this contact, and of those merged into it by then."),
    }
    return {
        "deals_as_of": field(
            GenericAlias(list, deal),
            {"as_of": WHEN, "first": FIRST, **of_deals},
            deals_as_of,
            "Deals as they were, the latest touched first.",
        ),
        "contacts_as_of": field(
            GenericAlias(list, contact),
            {"as_of": WHEN, "first": FIRST, "include_merged": Argument(bool, False, ALSO_MERGED)},
            contacts_as_of,
            "Contacts as they were, the latest touched first.",
        ),
        "funnel": field(
            GenericAlias(list, StageTotal),
            {"as_of": WHEN},
            funnel,
            "Deals in each stage, and their sums.",
        ),
        "why": field(
            GenericAlias(list, Why),
            {
                "type": Argument(str, about="Such as Deal."),
                "id": Argument(strawberry.ID),
                "field": Argument(str, about="Such as stage."),
                "all": Argument(bool, False, "Each change of it, the newest first, at most 20; else the last alone."),
            },
            why,
            "Why a field has its value: event, rule or person, and what was sent.",
        ),
    }
