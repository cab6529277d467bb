"""Conversations, those that wait for an answer first, and answers to them."""

from starlette.responses import Response

from api.console.view import View


async def conversations(view: View) -> Response:
    data = await view.ask("conversations")
    return view.show("conversations", waiting=data["waiting"]["nodes"], answered=data["answered"]["nodes"])


async def reply(view: View) -> Response:
    await view.change("reply", conversationId=view.id, text=(await view.form()).get("text"))
    return view.done()
