"""What a form's sender gets to see: a browser a page or a redirect, a program the id of what was kept."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from msgspec import json

from crm.connector import Answer, Connection, Delivery, country_of
from crm.envelope import Fact
from crm.errors import Malformed
from services.connectors.formats.bodies import read_body
from services.connectors.submissions.settings import PageSettings

NEXT = "_next"  # the field of a form that says where its sender goes afterwards
# Browsers read `\` as `/`, drop tabs and line breaks, and skip what is before an `@`: none of these gets through.
_URL = re.compile(r"https?://([a-z0-9.-]+(?::\d{1,5})?)(?:[/?#][^\s\\\x00-\x1f\x7f]*)?", re.IGNORECASE)
_SAFE = "%/:?#[]@!$&'()*+,;=~"
_LONGEST = 2_000  # characters
_WEIGHT = re.compile(r";\s*q=([01](?:\.\d{0,3})?)")
_HEADERS = (
    ("cache-control", "no-store"),
    ("vary", "Accept, Accept-Language"),
    ("x-content-type-options", "nosniff"),
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *"
_TEXTS = {
    "uk": ("Дякуємо!", "Ми отримали вашу заявку. Цю сторінку можна закрити."),
    "en": ("Thank you!", "We have received your message. You can close this page."),
}
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }}
main {{ max-width: 32rem; margin: 20vh auto 0; padding: 0 1rem }}
</style>
</head>
<body><main><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""
_IGNORED = "<!-- _next was ignored: its host is not in the setting redirect_hosts of this connection. -->\n"


def answer(delivery: Delivery, connection: Connection, facts: Sequence[Fact]) -> Answer:
    """Returns 303 to an allowed `_next` or a page for a browser, and `{"id": ...}` of the fact for everybody else."""
    if not shows_pages(delivery.headers.get("accept", "")):
        return Answer(200, json.encode({"id": facts[0].meta.id}), "application/json", _HEADERS)
    wanted = _wanted(delivery)
    if address := allowed_address(wanted, connection.settings_as(PageSettings).redirect_hosts):
        return Answer(303, b"", headers=(*_HEADERS, ("location", address)))
    language = language_of(delivery.headers.get("accept-language", ""), country_of(connection))
    title, text = _TEXTS[language]
    page = _PAGE.format(language=language, title=title, text=text) + (_IGNORED if wanted else "")
    headers = (*_HEADERS, ("content-security-policy", _POLICY), ("content-language", language))
    return Answer(200, page.encode(), "text/html; charset=utf-8", headers)


def shows_pages(accept: str) -> bool:
    """Tells whether the answer is shown to a person: a browser that posts a form names HTML, fetch() does not."""
    return "text/html" in accept.lower() and "application/json" not in accept.lower()


def _wanted(delivery: Delivery) -> str:
    try:
        found = read_body(delivery, as_sent=True).tree.get(NEXT, "")
    except Malformed:
        return ""
    return found.strip() if isinstance(found, str) else ""


def allowed_address(url: str, hosts: str) -> str:
    """Returns the URL as a Location header takes it; empty unless its host, with its port, is one of `hosts`."""
    found = _URL.fullmatch(url) if len(url) <= _LONGEST else None
    if not found or found[1].lower() not in {host.strip().lower() for host in hosts.split(",")}:
        return ""
    return quote(url, safe=_SAFE)


def language_of(accept: str, country: str) -> str:
    """Returns the language of the page, uk or en: what the browser prefers, else the country's."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(",")[:20]:
        weight = _WEIGHT.search(part)
        language = part.strip()[:2]
        weights[language] = max(weights.get(language, 0.0), float(weight[1]) if weight else 1.0)
    known = {language: weights[language] for language in _TEXTS if weights.get(language)}
    usual = "uk" if country == "UA" else "en"
    return max(known, key=lambda language: (known[language], language == usual)) if known else usual
