"""Telegram bots: how an answer is sent (https://core.telegram.org/bots/api#sendmessage)."""

from crm.connector_send import Ask, CannotSend, Limits, Send, Sending
from services.connectors.formats.exact_json import Value, encode
from services.connectors.sending import json_ask, multipart_ask, token_missing
from services.connectors.telegram.webhook import Settings

METHODS = {"photo": "sendPhoto", "video": "sendVideo", "audio": "sendAudio"}


def request(sending: Sending) -> Ask:
    reply, token = sending.reply, sending.settings_as(Settings).token
    if not token:
        raise CannotSend(token_missing("token"))
    body: dict[str, Value] = {"chat_id": reply.chat}
    if reply.account:
        body["business_connection_id"] = reply.account
    if reply.answers.isdecimal():
        body["reply_parameters"] = {"message_id": int(reply.answers), "allow_sending_without_reply": True}
    if not reply.attachments:
        return json_ask(f"/bot{token}/sendMessage", body | {"text": reply.text})
    file = reply.attachments[0]  # uploaded: of a URL it takes only pictures, PDF and ZIP
    method = METHODS.get(file.kind, "sendDocument")
    fields = {name: value if isinstance(value, str) else encode(value) for name, value in body.items()}
    fields["caption"] = reply.text
    part = (method.removeprefix("send").lower(), file, sending.files[0])
    return multipart_ask(f"/bot{token}/{method}", fields, [part], sending.key.replace("-", ""))


SEND = Send(
    "https://api.telegram.org",
    request,
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    Limits(
        text=4_096,
        caption=1_024,
        files=1,
        file_bytes=20_000_000,
        kind_bytes={"photo": 10_000_000},
        per_second=30,
        chat_per_second=1,
        needs=("token",),
    ),
    message="result.message_id",
    why="description",
    good={"ok": "true"},
    after="parameters.retry_after",
    inline=True,
)
