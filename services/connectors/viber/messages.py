"""What a Viber message holds: words and files (https://developers.viber.com/docs/api/rest-bot-api/#message-types)."""

from typing import Any

from crm.phones import read_phone
from crm.shared import Attachment
from services.connectors.chat import card, joined, lines, place, unknown
from services.connectors.formats.exact_json import Value
from services.connectors.formats.values import at, text, verbatim, whole_or_none

FILES = {"picture": "photo", "video": "video", "file": "document", "sticker": "sticker"}


def content_of(message: Value, country: str) -> dict[str, Any]:
    """Returns the fields of MessageReported. A card says nothing of whose it is, so its number is nobody's."""
    kind, own = text(message, "type"), verbatim(message, "text")
    said: dict[str, Any] = {"text": own}
    if file := FILES.get(kind):
        size = max(0, whole_or_none(message, "size") or whole_or_none(message, "file_size") or 0)
        link = text(message, "media") or text(message, "sticker_id")
        said["attachments"] = (Attachment(file, text(message, "file_name"), "", size, link),)
    elif kind == "location":
        said["text"] = lines(own, place(at(message, "location"), "lat", "lon"))
    elif kind == "url":
        said["text"] = lines(own, text(message, "media"))
    elif kind == "contact":
        phone = read_phone(text(message, "contact", "phone_number"), country)
        said["text"] = lines(own, card(text(message, "contact", "name"), phone))
        said["shared_phone"] = phone
    elif kind != "text":
        said["text"] = unknown(joined(kind), message)
    return said
