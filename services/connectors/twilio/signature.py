"""Twilio's signature of a request (https://www.twilio.com/docs/usage/webhooks/webhooks-security)."""

import base64
import hmac
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from crm.connector import Connection, Delivery, digest, expect_equal
from crm.errors import Refused

PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """Returns base64 of HMAC-SHA1 over the URL and the sorted names and values; of a name its values once each."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def urls(url: str) -> Iterator[str]:
    """Yields the URL with and without its port: Twilio signs either."""
    yield url
    parts = urlsplit(url)
    if parts.port:
        yield parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    elif port := PORTS.get(parts.scheme):
        yield parts._replace(netloc=f"{parts.netloc}:{port}").geturl()


def verify(delivery: Delivery, connection: Connection) -> None:
    """Raises Refused."""
    given, body_hash = delivery.headers.get("x-twilio-signature", ""), body_hash_of(delivery)
    if body_hash:
        expect_equal(digest(delivery.body), body_hash, "hash of the body")
    expected = ""
    try:
        fields = [] if body_hash else parse_qsl(delivery.body.decode(), keep_blank_values=True)
        for url in urls(delivery.url):
            expected = sign(connection.secret, url, fields)
            if hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
                return
    except ValueError:
        raise Refused("The body or the URL is none that Twilio signs. Nothing was kept.") from None
    expect_equal(expected, given)


def body_hash_of(delivery: Delivery) -> str:
    """Returns the hash that Twilio adds to the URL of a body that is no form; empty when there is none."""
    return delivery.parameters.get("bodySHA256", "") if delivery.query else ""
