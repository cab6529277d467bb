"""What intake reads of an HTTP request besides its body."""

import re
from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct

from crm.adapters.telemetry import tracing

TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Frontend(Struct, frozen=True):
    """How vendors reach this installation: Settings.public_url and Settings.trust_forwarded.

    What a client writes into X-Forwarded-* is believed only when a proxy of the installation is known to overwrite it.
    """

    public_url: str = ""
    trust_forwarded: bool = False

    @classmethod
    def read(cls, public_url: str, trust_forwarded: int) -> Self:
        """Raises SystemExit with a sentence when the public URL is none: a vendor's signature would never match."""
        if public_url and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", public_url):
            example = "such as https://crm.example.com"
            raise SystemExit(f"CRM_PUBLIC_URL is {public_url!r}; it takes the URL that vendors call, {example}.")
        return cls(public_url.rstrip("/"), bool(trust_forwarded))

    def base_url(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Returns scheme and host as the vendor called them, without a slash at the end."""
        if self.public_url:
            return self.public_url
        scheme, host = scope.get("scheme", "http"), headers.get("host", "")
        if self.trust_forwarded:
            scheme = _last(headers.get("x-forwarded-proto", "")) or scheme
            host = _last(headers.get("x-forwarded-host", "")) or host
        return f"{scheme}://{host}"

    def peer(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Returns the IP address of the client; empty when it is not known."""
        if self.trust_forwarded and (forwarded := _last(headers.get("x-forwarded-for", ""))):
            return forwarded
        client = scope.get("client")
        return client[0] if client else ""


def _last(values: str) -> str:
    """Returns the value that the nearest proxy has added."""
    return values.rpartition(",")[2].strip()


def path_of(scope: Mapping[str, Any]) -> str:
    """Returns the path as it was called, percent-encoded."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    return raw.partition(b"?")[0].decode("latin-1")


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
