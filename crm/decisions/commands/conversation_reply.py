"""conversationReply: an answer in a chat or by mail, from the card."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Struct

from crm.commands import About, Code, Command, Line, Rejected, Short, command
from crm.decisions.answering import channel_of, queued, why_no_channel
from crm.decisions.case import Case
from crm.decisions.guards import require, require_text
from crm.envelope import Event
from crm.scalars import Id
from crm.send_limits import Limits, filled, places_in, problem_of_file, problem_of_text, problem_of_window
from crm.shared import Attachment, Template
from crm.state import Conversation, Message

NOTHING = "Nothing was sent."


class ReplyFile(Struct, frozen=True, gc=False):
    """A file that goes with an answer. The channel, or Potik for it, fetches it from its URL."""

    url: Annotated[str, About(max_length=2_000, description="Where it is, beginning with https://.")]
    name: Annotated[Short, About(description="Its name; empty: the end of its URL.")] = ""
    media_type: Annotated[Short, About(description="MIME type, such as image/png; empty: a document.")] = ""
    size: Annotated[int, About(ge=0, description="Bytes; 0: not known.")] = 0


class ReplyTemplate(Struct, frozen=True, gc=False):
    """A message that the vendor approved before, sent where free text may not be."""

    name: Annotated[Short, About(description="The template's name at the vendor.")]
    language: Annotated[Short, About(description="Its language, such as uk or en_US.")]
    values: Annotated[
        dict[str, str], About(description="What is put into its text, by the names of its places: 1, 2, or name.")
    ] = {}


class ConversationReply(Command, frozen=True, gc=False, kw_only=True):
    """Answers in a conversation. The answer stands in the conversation at once, queued, and is sent through the
    connection by which the customer last wrote; what becomes of it is its status."""

    conversation_id: Annotated[Id, About(description="Where.")]
    text: Annotated[
        str,
        About(max_length=50_000, description="What it says. Of a template: its text, values in double braces."),
    ] = ""
    author: Annotated[str, About(max_length=200, description="Who answers, for people.")] = ""
    reply_to: Annotated[Id | None, About(description="The message that it answers.")] = None
    attachments: Annotated[tuple[ReplyFile, ...], About(description="Files that go with it.")] = ()
    template: Annotated[ReplyTemplate | None, About(description="The approved message that it is.")] = None
    subject: Annotated[Line, About(description="Of a mail; empty: Re: and that of the mail that it answers.")] = ""


@command(row="message")
def conversation_reply(command: ConversationReply, case: Case) -> Iterator[Event]:
    conversation = require(case.state, Conversation, command.conversation_id, "conversationId")
    answered = case.state.get(Message, command.reply_to) if command.reply_to is not None else None
    if command.reply_to is not None and answered is None:
        raise Rejected("replyTo", Code.NOT_FOUND, f"There is no message {command.reply_to}. Nothing was changed.")
    text = command.text.strip() if command.attachments else require_text(command.text, "text")
    sends = command.occurred_at is None  # what is imported was said elsewhere
    if sends:
        check(command, text, conversation, case)
    template = command.template
    said: dict[str, Any] = {"subject": subject} if conversation.thread and (subject := command.subject.strip()) else {}
    yield queued(
        case.meta(conversation.contact_id),
        case.state,
        case.new_id("message"),
        command.conversation_id,
        conversation,
        filled(text, template.values) if template else text,
        author=command.author.strip(),
        reply_to=command.reply_to,
        connection_id=conversation.connection_id if sends else None,
        answers=answered.message if answered else "",
        attachments=tuple(attachment(file) for file in command.attachments),
        template=Template(template.name, template.language, template.values) if template else None,
        **said,
    )


def check(command: ConversationReply, text: str, conversation: Conversation, case: Case) -> None:
    """Raises Rejected for what the channel does not take."""
    channel = channel_of(case, conversation)
    if channel is None:
        why = f"{why_no_channel(conversation)} {NOTHING} Answer there; the answer appears here if it is reported of."
        raise Rejected("conversationId", Code.INVALID, why)
    (limits, name), files = channel, command.attachments
    if template := command.template:
        if not limits.templates:
            raise Rejected("template", Code.INVALID, f"{name} has no templates: send it as text. {NOTHING}")
        if missing := [place for place in places_in(text) if not template.values.get(place, "").strip()]:
            why = f"The template's text has places without a value: {', '.join(missing)}. {NOTHING}"
            raise Rejected("template.values", Code.REQUIRED, why)
        text = filled(text, template.values)
    elif why := problem_of_window(limits, name, conversation.asked_at, case.now):
        raise Rejected("conversationId", Code.INVALID, f"{why} {NOTHING}")
    if why := problem_of_text(limits, name, text, len(files)):
        raise Rejected("text", Code.INVALID, f"{why} {NOTHING}")
    check_files(files, limits, name)


def check_files(files: tuple[ReplyFile, ...], limits: Limits, name: str) -> None:
    if len(files) > limits.files:
        takes = f"at most {limits.files} in one message: send several" if limits.files else "no files"
        raise Rejected(
            "attachments", Code.INVALID, f"{len(files)} files are given, and {name} takes {takes}. {NOTHING}"
        )
    for place, file in enumerate(files):
        if not is_https(file.url):
            raise Rejected(
                f"attachments.{place}.url", Code.INVALID, f"It is no URL that begins with https://. {NOTHING}"
            )
        if why := problem_of_file(limits, name, file.size, kind_of(file)):
            raise Rejected(f"attachments.{place}.size", Code.INVALID, f"{why} {NOTHING}")


def is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def attachment(file: ReplyFile) -> Attachment:
    name = file.name or urlsplit(file.url).path.rpartition("/")[2]
    return Attachment(kind_of(file), name, file.media_type, file.size, file.url)


def kind_of(file: ReplyFile) -> str:
    words = {"image": "photo", "video": "video", "audio": "audio"}
    return words.get(file.media_type.partition("/")[0], "document")
