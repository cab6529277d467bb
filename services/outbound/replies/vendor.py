"""One request to a vendor and its whole answer; what is not known to have stayed here may have been sent."""

import os
from collections.abc import Mapping
from dataclasses import replace

import httpx
import msgspec

from crm.adapters.safe_http import LIMITS, NotReached, SafeHttp
from crm.connector import Connector
from crm.connector_poll import PollFailed
from crm.connector_send import CannotSend, Failed, Later, Outcome, Page, Send, Sending, Uncertain
from crm.log import Clock
from crm.send_limits import Limits, longest_of
from crm.vendor_override import override_of
from services.connectors.rehearsal import rehearsals
from services.demo.vendors import stands_in
from services.outbound.replies.smtp import deliver
from services.polling.vendor_client import VendorClient

SECONDS = 30.0  # for one request from beginning to end
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Answered(msgspec.Struct, frozen=True):
    """What became of a request, and the vendor's answer, if it gave one."""

    outcome: Outcome
    page: Page | None = None


class SendingVendors:
    """Asks vendors to send. `transport` is for tests."""

    def __init__(
        self,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.clock, self.environment, self.seconds = clock, environment, seconds
        self.http = VendorClient(clock, seconds, transport)

    async def close(self) -> None:
        await self.http.close()

    async def files_of(self, sending: Sending, limits: Limits) -> tuple[bytes, ...]:
        """Returns the contents of a reply's files, each from its public address. Raises CannotSend, NotReached."""
        files = []
        for file in sending.reply.attachments:
            longest = longest_of(limits, file.kind)
            async with SafeHttp(msgspec.structs.replace(LIMITS, size=longest or LIMITS.size)) as http:
                try:
                    answer = await http.fetch(file.ref)
                except NotReached as error:
                    if error.again:
                        raise
                    raise CannotSend(f"The file {file.name} cannot be fetched: {error}") from None
            if longest and len(answer.body) > longest:
                raise CannotSend(f"The file {file.name} has {len(answer.body)} bytes, more than {longest}.")
            files.append(answer.body)
        return tuple(files)

    async def call(self, connector: Connector, sending: Sending) -> Answered:
        """Makes one attempt."""
        send = connector.send
        assert send
        if demo := stands_in(sending.connection.workspace, self.environment):
            sending = for_the_demo(sending)
        try:
            if send.inline and sending.reply.attachments:
                files = await self.files_of(sending, send.limits)
                sending = msgspec.structs.replace(sending, files=files)
            ask = send.request(sending)
            instead = override_of(connector.name, self.environment) or demo
            base = instead or (send.base(sending.connection) if callable(send.base) else send.base)
            if ask.method == "SMTP":
                page = await deliver(base, ask, self.clock, self.seconds, anywhere=bool(instead))
            else:
                url, pinned = base.rstrip("/") + ask.path, callable(send.base) and not instead
                page = await self.http.page(ask, url, ask.headers, pinned)
        except CannotSend as error:
            return Answered(Failed(str(error)))
        except (NotReached, ConnectionError) as error:
            return Answered(Later(str(error)))
        except PollFailed as error:  # its host is no address that may be called
            return Answered(Failed(str(error)))
        except NOT_SENT as error:
            return Answered(Later(f"The vendor cannot be reached: {type(error).__name__}."))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            why = f"The vendor did not answer: {type(error).__name__}."
            return Answered(Later(why) if send.idempotent else Uncertain(why))
        return Answered(send.outcome(page, sending), page)


def for_the_demo(sending: Sending) -> Sending:
    """Returns it with what a simulated vendor is asked with, as the demo's connections have no real keys."""
    connection = sending.connection
    rehearsal = rehearsals().get(connection.connector)
    settings = {**connection.settings, **(rehearsal.sends if rehearsal else {})}
    return msgspec.structs.replace(sending, connection=replace(connection, settings=settings))


def is_repeatable(send: Send | None) -> bool:
    """Whether a vendor knows a repetition by its key."""
    return bool(send and send.idempotent)
