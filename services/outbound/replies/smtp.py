"""A letter handed to a mail server (RFC 5321, RFC 6409): its answer, in the form of a page of an API."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import msgspec

from crm.adapters.public_hosts import NotPublic, public_address
from crm.connector_send import Ask, CannotSend, Page
from crm.log import Clock
from crm.scalars import Micros

TLS = 465  # the port where TLS begins at once
GREYLISTED = "300"  # seconds until a server that said "later" is asked again


class Pinned(smtplib.SMTP):
    """Connects to one address, whatever its name says meanwhile; the certificate is that of the name."""

    def __init__(self, host: str, port: int, address: str, timeout: float) -> None:
        self.address = address
        self.context = ssl.create_default_context()
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        plain = socket.create_connection((self.address, port), timeout)
        return self.context.wrap_socket(plain, server_hostname=host) if port == TLS else plain


async def deliver(base: str, ask: Ask, clock: Clock, seconds: float, anywhere: bool = False) -> Page:
    """Returns the server's answer. Raises CannotSend, ConnectionError where nothing was sent, and OSError or
    TimeoutError where nobody knows. `anywhere`: a test's own server."""
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port or 587
    try:
        address = host if anywhere else await public_address(host, port)
    except NotPublic:
        raise CannotSend(f"The mail server {host} is in a private network: it is not asked.") from None
    except (OSError, UnicodeError) as error:
        raise ConnectionError(f"The mail server {host} cannot be found: {error}.") from None
    said = await asyncio.to_thread(hand_over, host, port, address, ask, seconds, not anywhere)
    return msgspec.structs.replace(said, received_at=clock())


def hand_over(host: str, port: int, address: str, ask: Ask, seconds: float, secure: bool) -> Page:
    """Before the letter itself goes out, whatever happens has sent nothing."""
    try:
        server = Pinned(host, port, address, seconds)
    except (smtplib.SMTPException, OSError) as error:
        raise unusable(host, error) from None
    with contextlib.closing(server):
        try:
            if (refusal := prepared(server, port, ask, secure)) is not None:
                return refusal
        except smtplib.SMTPAuthenticationError as error:
            return answered(ask, error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            raise unusable(host, error) from None
        try:
            return answered(ask, *server.data(ask.body))
        except smtplib.SMTPDataError as error:
            return answered(ask, error.smtp_code, error.smtp_error)
        except smtplib.SMTPException as error:
            raise TimeoutError(str(error)) from None


def prepared(server: Pinned, port: int, ask: Ask, secure: bool) -> Page | None:
    """Logs in and says from whom to whom. Returns what the server says if it does not want that."""
    server.ehlo_or_helo_if_needed()
    if port != TLS and (secure or server.has_extn("starttls")):
        server.starttls(context=server.context)
    if ask.headers["user"] and ask.headers["password"]:
        server.login(ask.headers["user"], ask.headers["password"])
    for code, words in (server.mail(ask.headers["from"]), server.rcpt(ask.headers["to"])):
        if code >= 400:
            return answered(ask, code, words)
    return None


def unusable(host: str, error: Exception) -> ConnectionError:
    return ConnectionError(f"The mail server {host} cannot be used: {error}.")


def answered(ask: Ask, code: int, words: bytes | str) -> Page:
    """A code 4xx means later, 5xx never."""
    text = words if isinstance(words, str) else words.decode("utf-8", "replace")
    status = 503 if 400 <= code < 500 else 400 if code >= 500 else 200
    headers = {"content-type": "application/json", **({"retry-after": GREYLISTED} if status == 503 else {})}
    return Page(ask, msgspec.json.encode({"reply": f"{code} {text}"}), Micros(0), headers, status)
