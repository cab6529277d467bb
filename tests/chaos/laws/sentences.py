"""A broken law in one sentence with an example or two: never a dump."""

from collections.abc import Sequence


def sentence(what: str, examples: Sequence[str]) -> list[str]:
    """Empty when there is no example. `what` goes on from the number: "facts have no effect"."""
    if not examples:
        return []
    return [f"{len(examples)} {what}: {' and '.join(examples[:2])}{' …' if len(examples) > 2 else '.'}"]
