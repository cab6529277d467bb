"""The message of a stage rule: where it goes, as free text or as a template, or why nothing is sent."""

from collections.abc import Mapping

from crm.decisions.answering import channel_of, queued, why_no_channel
from crm.decisions.case import Case, State
from crm.decisions.contacts import card, cards
from crm.decisions.rule_variables import filled, missing
from crm.events import ReplyQueued
from crm.scalars import Id
from crm.send_limits import HOUR, problem_of_text, problem_of_window
from crm.send_limits import filled as with_values
from crm.shared import RuleMessage, Template
from crm.state import Conversation, Deal

AGAIN = 24 * HOUR  # a rule writes in a conversation once in this time, however many deals there are


def message_of(
    case: Case, rule_id: Id, message: RuleMessage, deal: Deal, values: Mapping[str, str], reason: str, actor: str
) -> ReplyQueued | str:
    """Returns the answer to be queued, or a sentence on why there is none. `values`: of the variables."""
    found = conversation_of(case.state, deal)
    if found is None:
        return "the customer has not written in any chat or mail yet."
    conversation_id, conversation = found
    if rule_id in conversation.ruled_at and case.fact.meta.occurred_at - conversation.ruled_at[rule_id] < AGAIN:
        return "this rule wrote in the conversation less than 24 hours ago."
    if (channel := channel_of(case, conversation)) is None:
        return why_no_channel(conversation)
    limits, name = channel
    closed = problem_of_window(limits, name, conversation.asked_at, case.moment)
    template = message.template if closed or not message.text else None
    if not (template and limits.templates) and (closed or not message.text):
        return closed or f"{name} has no templates, and the rule has no other text."
    said = [*template.values.values()] if template else [message.text]
    if lacks := [variable for text in said for variable in missing(text, values)]:
        return f"nothing is known for {', '.join(f'{{{variable}}}' for variable in dict.fromkeys(lacks))}."
    sent = None
    if template:
        places = {place: filled(text, values) for place, text in template.values.items()}
        sent, text = Template(template.name, template.language, places), with_values(message.template_text, places)
    else:
        text = filled(message.text, values)
    if why := problem_of_text(limits, name, text, 0):
        return why
    return queued(
        case.meta(conversation.contact_id, actor),
        case.state,
        case.new_id(f"stage_rule/{rule_id}/{deal.deal_id}/message"),
        conversation_id,
        conversation,
        text,
        author=actor,
        template=sent,
        why=reason,
        stage_rule_id=rule_id,
    )


def conversation_of(state: State, deal: Deal) -> tuple[Id, Conversation] | None:
    """Returns the conversation in which the deal's contact last wrote, also on a card that was merged into theirs."""
    found = [
        (conversation.asked_at, contact.wrote_in, conversation)
        for contact in cards(state, card(state, deal.contact_id))
        if contact.wrote_in and (conversation := state.get(Conversation, contact.wrote_in))
    ]
    if not found:
        return None
    _, id, conversation = max(found, key=lambda one: one[:2])
    return id, conversation
