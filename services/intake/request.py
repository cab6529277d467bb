"""What the intake wants to know of an HTTP request besides its body."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from crm.adapters.telemetry import tracing

SECRET_NAMES = {"token", "secret", "key", "api_key", "apikey", "access_token", "password", "pass", "signature", "sign"}
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case; a header given twice is joined with a comma, as RFC 9110 has it."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def trace_of(headers: Mapping[str, str]) -> str:
    """W3C traceparent: of our own span, or the caller's if there is one and it looks like one."""
    if tracing.spans:
        return tracing.spans.here()
    trace = headers.get("traceparent", "")
    return trace if TRACEPARENT.fullmatch(trace) else ""


def without_secrets(query: bytes, secret: str) -> str:
    """The query string, but for what proves who is asking."""
    text = query.decode("latin-1")
    return "&".join(part for part in text.split("&") if part and not is_secret(part, secret))


def is_secret(part: str, secret: str) -> bool:
    name, value = (parse_qsl(part, keep_blank_values=True) or [("", "")])[0]
    return name.lower() in SECRET_NAMES or (bool(secret) and (secret in value or quote_plus(secret) in part))
