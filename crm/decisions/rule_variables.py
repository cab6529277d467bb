"""Variables in the texts of stage rules, such as {contact_name}: which there are, and what each stands for."""

import re
from collections.abc import Iterator, Mapping

from crm.decisions.case import Case
from crm.decisions.contacts import card, names
from crm.decisions.owners import owner_id
from crm.decisions.settlement import in_words
from crm.decisions.workspace import workspace_of
from crm.state import Deal, Owner

VARIABLE = re.compile(r"\{(\w+)\}")
VARIABLES = ("contact_name", "deal_title", "deal_number", "amount", "stage", "owner_name")


def mistake(text: str) -> str:
    """Returns what is wrong with the variables of a text, as a sentence; empty when nothing is."""
    if unknown := [name for name in variables_in(text) if name not in VARIABLES]:
        there = ", ".join(f"{{{name}}}" for name in VARIABLES)
        return f"There is no variable {{{unknown[0]}}}; there are {there}."
    if "{" in (left := VARIABLE.sub("", text)) or "}" in left:
        return "A variable is one name in single braces, such as {contact_name}; other braces are refused."
    return ""


def variables_in(text: str) -> Iterator[str]:
    """Yields the names of the variables of a text, each once."""
    yield from dict.fromkeys(VARIABLE.findall(text))


def values_of(case: Case, deal: Deal) -> dict[str, str]:
    """Returns what each variable stands for; empty texts for what is not known."""
    workspace, owner = workspace_of(case), deal.owner
    kept = case.state.get(Owner, owner_id(case.fact.meta.workspace, owner)) if owner else None
    return {
        "contact_name": next(iter(names(case.state, card(case.state, deal.contact_id))), ""),
        "deal_title": deal.title,
        "deal_number": f"D-{deal.number}",
        "amount": in_words(deal.amount_minor, deal.currency) if deal.amount_minor else "",
        "stage": workspace.labels.get(deal.stage, deal.stage),
        "owner_name": kept.name if kept else owner,
    }


def missing(text: str, values: Mapping[str, str]) -> list[str]:
    """Returns the variables of a text that stand for nothing."""
    return [name for name in variables_in(text) if not values[name].strip()]


def filled(text: str, values: Mapping[str, str]) -> str:
    """Returns the text with what its variables stand for."""
    return VARIABLE.sub(lambda variable: values[variable[1]], text)
