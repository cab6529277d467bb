"""Facts mixed with operators' commands, for property tests: few values, so that they often refer to the same things."""

from typing import Any

from hypothesis import strategies as st

from crm.commands import Rejected
from crm.envelope import Fact
from crm.state import Contact, Deal, Parcel, Payment
from crm.state.manual_entities import Note, Task
from tests.support.fact_strategies import EMAILS, PHONES, any_facts
from tests.support.operator_session import OperatorSession
from tests.support.scenarios import RULES

STAGES = ("new", "in_progress", "part_paid", "paid")
SUM = st.integers(0, 300).map(lambda minor: {"minor": minor})
# What is asked, and what for: a kind of thing, or a test of one, is filled in by one that is there.
INPUTS: dict[str, dict[str, Any]] = {
    "contact_create": {"name": "Ivan", "phones": st.lists(st.sampled_from(PHONES), max_size=1)},
    "contact_change": {
        "contact_id": Contact,
        "name": st.sampled_from(("Olha", "Ivan")),
        "add_phones": st.lists(st.sampled_from(PHONES), max_size=1),
        "remove_phones": st.lists(st.sampled_from(PHONES), max_size=1),
        "remove_emails": st.lists(st.sampled_from(EMAILS), max_size=1),
        "fields": st.sampled_from(({}, {"size": '"M"'}, {"size": '"L"'}, {"size": "null"})),
    },
    "contact_merge": {"contact_id": Contact, "into_id": Contact},
    "contact_unmerge": {"contact_id": lambda card: isinstance(card, Contact) and card.merged_into},
    "identifier_settle": {
        "contact_id": Contact,
        "kind": "email",
        "value": st.sampled_from(EMAILS),
        "nobodys": st.booleans(),
    },
    "deal_open": {"contact_id": Contact, "title": "Desk", "amount": SUM},
    "deal_change": {
        "deal_id": Deal,
        "amount": SUM,
        "reference": st.sampled_from(("", "R-1")),
        "fields": st.sampled_from(({}, {"size": '"M"'}, {"size": "null"})),
    },
    "deal_move_stage": {"deal_id": Deal, "stage": st.sampled_from(STAGES)},
    "deal_win": {"deal_id": Deal},
    "deal_lose": {"deal_id": Deal, "why": "gone"},
    "deal_assign": {"deal_id": Deal, "owner": st.sampled_from(("", "anna", "petro"))},
    "payment_match": {"payment_id": Payment, "deal_id": Deal},
    "payment_unmatch": {"payment_id": lambda paid: isinstance(paid, Payment) and paid.deals},
    "payment_move": {"payment_id": Payment, "deal_id": Deal},
    "payment_split": {
        "payment_id": lambda paid: isinstance(paid, Payment) and paid.amount_minor == 100,
        "shares": [{"deal_id": Deal, "minor": 30}, {"deal_id": Deal, "minor": 70}],
    },
    "payment_correct": {
        "payment_id": Payment,
        "amount": st.sampled_from(
            ({"minor": 100, "currency": "USD"}, {"minor": 100, "currency": "UAH"}, {"minor": 60})
        ),
    },
    "parcel_detach": {"parcel_id": Parcel},
    "deal_track_parcel": {"deal_id": Deal, "tracking_number": "A", "service": "nova-poshta"},
    "note_add": {"deal_id": Deal, "text": "x"},
    "note_change": {"note_id": Note, "text": st.sampled_from(("x", "y"))},
    "note_remove": {"note_id": Note},
    "task_add": {"contact_id": Contact, "title": "x"},
    "task_change": {"task_id": Task, "title": st.sampled_from(("x", "y"))},
    "task_complete": {"task_id": Task},
    "task_reopen": {"task_id": Task},
    "task_remove": {"task_id": Task},
    "stage_add": {"key": st.sampled_from(("offer", "new"))},
    "stage_remove": {"key": st.sampled_from(("in_progress", "offer"))},
    "field_define": {
        "entity": st.sampled_from(("deal", "contact")),
        "key": "size",
        "type": "text",
        "required": st.booleans(),
    },
    "field_retire": {"entity": "deal", "key": "size"},
    "owner_add": {"key": st.sampled_from(("anna", "petro"))},
    "owner_change": {"key": "petro", "name": st.sampled_from(("Petro", "Petro K."))},
    "owner_retire": {"key": st.sampled_from(("anna", "petro"))},
    "assignment_rules_set": {"rules": st.sampled_from(([], [{"name": "all", "owners": ["anna"]}]))},
    "stage_rule_define": {
        "rule": st.fixed_dictionaries(
            {
                "name": st.sampled_from(("a", "b")),
                "stage": st.sampled_from((*STAGES, "won")),
                "task": st.just({"title": "Call {contact_name}"}),
                "message": st.sampled_from((None, {"text": "{deal_number}"})),
            }
        )
    },
    "workspace_change": {"currency": st.sampled_from(("UAH", "EUR")), "country": st.sampled_from(("UA", "PL"))},
}


@st.composite
def any_story(draw: st.DrawFn) -> OperatorSession:
    """Draws facts with commands between them; refused commands change nothing."""
    facts = draw(any_facts())
    often = "contact_merge", "contact_unmerge", "payment_match", "payment_unmatch", "payment_move", "payment_split"
    names = draw(st.lists(st.sampled_from([*INPUTS, *often]), max_size=16))
    steps: list[Fact | str] = draw(st.permutations([*facts, *names]))
    story = OperatorSession(*RULES)
    for step in steps:
        if isinstance(step, str):
            given = {name: value_of(draw, story, value) for name, value in INPUTS[step].items()}
            try:
                story.do(step, **given)
            except Rejected:
                continue
        else:
            story.when(step)
    return story


def value_of(draw: st.DrawFn, story: OperatorSession, value: Any) -> Any:
    if isinstance(value, list):
        return [{name: value_of(draw, story, one) for name, one in part.items()} for part in value]
    if isinstance(value, type) or callable(value):
        fits = (lambda thing: isinstance(thing, value)) if isinstance(value, type) else value
        ids = [key for (_, key), thing in story.state.things.items() if fits(thing)]
        return draw(st.sampled_from(ids)) if ids else "33333333-3333-5333-8333-333333333333"
    return draw(value) if isinstance(value, st.SearchStrategy) else value
