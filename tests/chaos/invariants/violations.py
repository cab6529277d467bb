"""Sentences about violations, with at most two examples."""

from collections.abc import Sequence


def violation(what: str, examples: Sequence[str]) -> list[str]:
    """Returns one sentence, or none without examples. `what` follows the number: "facts have no effect"."""
    if not examples:
        return []
    return [f"{len(examples)} {what}: {' and '.join(examples[:2])}{' …' if len(examples) > 2 else '.'}"]
