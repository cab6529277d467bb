"""The screens by their address, and what changes something."""

from api.console.screens import board, contact, conversations, deal, numbers, operations, ringing, search, tasks, why
from api.console.view import Screen

SCREENS: dict[str, Screen] = {
    "/console/board": board.board,
    "/console/board/{stage}": board.column,
    "/console/tile/{id}": board.tile,
    "/console/deals/{id}": deal.deal,
    "/console/deals/{id}/timeline": deal.timeline,
    "/console/contacts/{id}": contact.contact,
    "/console/contacts/{id}/timeline": contact.timeline,
    "/console/contacts/{id}/merge": contact.merge,
    "/console/why/{type}/{id}/{field}": why.why,
    "/console/search": search.search,
    "/console/tasks": tasks.tasks,
    "/console/conversations": conversations.conversations,
    "/console/ringing": ringing.ringing_now,
    "/console/ringing/{id}": ringing.ringing,
    "/console/numbers": numbers.numbers,
    "/console/integrations": operations.integrations,
    "/console/integrations/{name}": operations.connect,
    "/console/quarantine": operations.quarantine,
    "/console/quarantine/{id}": operations.quarantined,
}
CHANGES: dict[str, Screen] = {
    "/console/deals/{id}/stage": deal.move,
    "/console/deals/{id}/owner": deal.assign,
    "/console/contacts/{id}/merge": contact.do_merge,
    "/console/contacts/{id}/unmerge": contact.unmerge,
    "/console/{kind}/{id}/notes": deal.add_note,
    "/console/{kind}/{id}/tasks": deal.add_task,
    "/console/tasks/{id}/done": tasks.complete,
    "/console/conversations/{id}/reply": conversations.reply,
    "/console/integrations/{name}": operations.add,
}
