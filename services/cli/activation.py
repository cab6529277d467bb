"""What activation came to, as the command line says it."""

from collections.abc import Iterator
from typing import Any

from crm.activation.outcome import Activated


def lines_of(activated: Activated) -> Iterator[str]:
    """Yields what was done and what is left to do, for people."""
    if activated.account:
        yield f"  The vendor knows it as {activated.account}."
    yield from (f"  {sentence}" for sentence in activated.done)
    if activated.active and not activated.done:
        yield "  The webhook is set." if not activated.next else "  The key was accepted."
    if activated.next:
        yield f"  Still to do: {activated.next}"


def shown(activated: Activated | None) -> dict[str, Any] | None:
    """Returns it for --json, without any secret."""
    if activated is None:
        return None
    return {
        "active": activated.active,
        "account": activated.account or None,
        "done": list(activated.done),
        "next": activated.next or None,
    }
