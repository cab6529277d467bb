"""Conversations, those that wait for an answer first, and answers to them."""

import asyncio
from typing import NamedTuple

from starlette.responses import Response

from api.console.questions import Row
from api.console.view import View

LINES = 30  # conversations that are shown
PAGE, PAGES = 100, 10  # that are looked through for those of one owner


class Lines(NamedTuple):
    conversations: list[Row]
    older: bool  # there are more, which were not looked through


async def conversations(view: View) -> Response:
    owner = view.given("owner")
    waiting, answered = await asyncio.gather(lines(view, owner, True), lines(view, owner, False))
    return view.show("conversations", waiting=waiting, answered=answered, owner=owner)


async def lines(view: View, owner: str, unanswered: bool) -> Lines:
    """Returns the last changed ones; of an owner: of contacts with an open deal of theirs, and those nobody has yet."""
    mine = {owner, None} if unanswered else {owner}
    found: list[Row] = []
    after = None
    for _ in range(PAGES):
        first = PAGE if owner else LINES
        page = (await view.ask("conversations", unanswered=unanswered, first=first, after=after))["conversations"]
        found += [one for one in page["nodes"] if not owner or (one["contact"] or {}).get("owner") in mine]
        after, older = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        if not owner or not older or len(found) >= LINES:
            break
    return Lines(found[:LINES], older or len(found) > LINES)


async def reply(view: View) -> Response:
    await view.change("reply", conversationId=view.id, text=(await view.form()).get("text"))
    return view.done()
