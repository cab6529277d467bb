"""Follows a subscription across cut connections: copy it next to the generated client."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar

from websockets.exceptions import ConnectionClosed, InvalidHandshake

Change = TypeVar("Change")
AGAIN = ("SLOW_SUBSCRIBER", "UNAVAILABLE")  # codes of errors after which the last cursor is still good
FATAL = (4400, 4401, 4403, 4406, 4409)  # trying again would not help: the token or the message is wrong
LONGEST_WAIT = 30.0  # seconds between two attempts


async def follow(
    subscribe: Callable[[str | None], AsyncIterator[Change]],
    cursor: Callable[[Change], str],
    after: str | None = None,
) -> AsyncGenerator[Change]:
    """Yields each change; subscribes again behind the last one when the connection is cut.

    So nothing is lost and nothing comes twice. `subscribe` takes the cursor, `cursor` finds it in a change. Raises what
    the generated client raises for an error of the server, and ConnectionClosed when the token is not valid.
    """
    failures = 0
    while True:
        try:
            async for change in subscribe(after):
                failures, after = 0, cursor(change)
                yield change
        except ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code in FATAL:
                raise
        except (OSError, InvalidHandshake):
            pass  # the server is being restarted
        except Exception as error:
            if code_of(error) not in AGAIN:
                raise
        failures += 1
        await asyncio.sleep(min(LONGEST_WAIT, 0.25 * 2**failures) * random.uniform(0.5, 1.0))


def code_of(error: Exception) -> str:
    """Returns the code of an error of the server, as the generated client raises it."""
    first = next(iter(getattr(error, "errors", None) or ()), None)
    return str((getattr(first, "extensions", None) or {}).get("code", ""))
