"""What is never kept of a request: headers and parameters that prove who the client is, and secrets in any text."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote_plus

SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie")
)  # never kept, whatever the vendor
SECRET_PARAMETERS = frozenset(
    ("token", "secret", "key", "api_key", "apikey", "access_token", "password", "pass", "signature", "sign")
)
KEY = re.compile(r"(?=.*\d)[\w:+/=-]{16,}", re.ASCII)  # a setting that looks like a key, and like no word or host


def hidden_texts(secret: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the secret, and the settings that look like a key."""
    return tuple(text for text in (secret, *filter(KEY.fullmatch, settings.values())) if text)


def redacted(text: str, hidden: Iterable[str]) -> str:
    """Returns the text with *** in place of what is hidden."""
    for secret in hidden:
        if secret in text:
            text = text.replace(secret, "***")
    return text


def without_secrets(query: str, secret: str) -> str:
    """Returns a query string without the parameters that prove who the client is."""
    return "&".join(part for part in query.split("&") if part and not _is_secret(part, secret))


def _is_secret(part: str, secret: str) -> bool:
    name, value = (parse_qsl(part, keep_blank_values=True) or [("", "")])[0]
    return name.lower() in SECRET_PARAMETERS or (bool(secret) and (secret in value or quote_plus(secret) in part))
