"""Contact Form 7: the mail tags of a form, sent by the plugin CF7 to Webhook
(https://wordpress.org/plugins/cf7-to-zapier/)."""

import base64
import re
from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook, digest
from crm.shared import Attachment
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.values import text
from services.connectors.submissions.field_roles import meaning_of
from services.connectors.submissions.reports import Sent, submitted
from services.connectors.submissions.settings import SECRET_HEADERS, verify_token
from services.connectors.submissions.shapes import Entry, flat

_TYPED = re.compile(r"(tel|email|textarea|acceptance)-\d+")  # a tag that its form named after its type


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    files: list[Attachment] = []
    tree: Tree = {name: _without_content(value, files) for name, value in body.tree.items()}
    body = body._replace(tree=tree, files=(*body.files, *files))
    yield from submitted(body, Sent(map(_typed, flat(tree))), delivery, connection)


def _typed(entry: Entry) -> Entry:
    kind = _TYPED.fullmatch(entry.name)
    return entry._replace(meaning=meaning_of((entry.name,), (), kind[1])) if kind else entry


def _without_content(value: Value, files: list[Attachment]) -> Value:
    """Returns the name in place of a file that is sent with its content, and adds the file."""
    if isinstance(value, list):
        return [_without_content(item, files) for item in value]
    if not isinstance(value, dict) or value.keys() != {"filename", "content"}:
        return value
    name = text(value, "filename")
    try:
        content = base64.b64decode(text(value, "content"), validate=True)
    except ValueError:
        return name  # its bytes are in the raw record
    files.append(Attachment("file", name, "", len(content), f"sha256:{digest(content)}"))
    return name


WEBHOOK = Webhook(verify_token, parse, secret_headers=SECRET_HEADERS)
