"""Requests to a form's URL that are no enquiry: pings, greetings, tests, and forms that nobody filled in."""

import re

from crm.text.placeholders import is_placeholder
from services.connectors.formats.bodies import Body
from services.connectors.formats.values import text
from services.connectors.submissions.certain_values import has_letters
from services.connectors.submissions.field_roles import SENDER
from services.connectors.submissions.shapes import Entry
from services.connectors.submissions.submission import Submission, is_hint

_GREETING = re.compile(
    r"(?:.*[._ -])?(?:ping|pong|test|tests|verif\w*|url_verification|subscription_?validation|challenge|heartbeat"
    r"|health\w*|hello|handshake)(?:[._ -].*)?"
)
_GREETINGS = frozenset(("webhook_id", "hook_id", "zen", "challenge", "hub.challenge", "ping", "hub.mode"))
_SAYS_WHAT = ("event", "type", "action", "event_type", "eventType", "triggerType", "topic", "kind")
_LINK = re.compile(
    r"@[\w.]{4,40}|(?:https?://)?(?:www\.)?(?:t\.me|wa\.me|m\.me|(?:instagram|facebook|linkedin|tiktok)\.com)/@?[\w./+-]{3,}"
)  # to somebody, whatever it is asked for
_NICK = re.compile(r"(?=[\w.:]*[_.\d:])[\w.:]{5,40}")
_NO_WORDS = re.compile(
    r"(?:test|тест|testing|hello|hi|ping|ok|привіт|world|webhook|message|health|healthcheck|check|status|alive|up|monitor\w*|uptime|probe|\W|\d|this|is|a|from)*",
    re.I,
)


def why_empty(submission: Submission, entries: list[Entry], body: Body) -> str:
    """Returns why a form is no enquiry; empty when its sender can be reached or wrote something."""
    if submission.name.startswith("<test lead:"):
        return "test"  # Facebook's
    identifiers = submission.identifiers.phones or submission.identifiers.emails or body.files
    if identifiers or (submission.name and not is_placeholder("name", submission.name)):
        return ""
    tree = body.tree
    if _GREETINGS & tree.keys() or any(_GREETING.fullmatch(text(tree, name).lower()) for name in _SAYS_WHAT):
        return "greeting"
    if (
        submission.is_order
        or any(one.role == "amount" for one in submission.sums)
        or any(_has_words(entry) for entry in entries)
    ):
        return ""
    return "nobody in it"


def _has_words(entry: Entry) -> bool:
    """Whether a field holds a person's words: an answer to an open question, or several words anywhere."""
    meaning = entry.meaning
    if meaning.role == "submission":
        return entry.name.endswith("leadgen_id") and bool(entry.value)  # Facebook's notice: a lead lies there
    if meaning.volatile or meaning.role.startswith("utm.") or meaning.role in ("page", "form_id", "form_name"):
        return False
    if isinstance(entry.value, list):
        return any(_has_words(entry._replace(value=item)) for item in entry.value)
    if isinstance(entry.value, str) and meaning.whose == SENDER and not meaning.technical:
        value = entry.value.strip()
        open_ = value[:1] == "@" or meaning.blank or meaning.role in ("reach", "message")
        if (open_ and _LINK.fullmatch(value)) or (meaning.role == "reach" and _NICK.fullmatch(value)):
            return not is_placeholder("name", value)
    chosen = meaning.technical or meaning.closed
    return isinstance(entry.value, str) and _is_written(entry.value, meaning.role, chosen)


def _is_written(value: str, role: str, chosen: bool) -> bool:
    words = value.split()
    if role == "email" and "@" in value:
        return not is_placeholder("email", value)
    if chosen or not has_letters(value, 3) or _NO_WORDS.fullmatch(value):
        return False
    if role in ("name", "first", "last") and is_hint(value):
        return False
    return role == "message" or sum(map(has_letters, words)) >= 2
