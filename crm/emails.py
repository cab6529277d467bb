"""E-mail addresses in a text that was meant as some."""

import re

ADDRESS = re.compile(r"[^\s@<>,;:\"'()]{1,64}@[^\s@<>,;:\"'()]{1,120}")


def emails_in(text: str) -> list[str]:
    """Cleaned and normalised; empty when none is certain."""
    cleaned = text.strip().rstrip(".").lower()
    return [cleaned] if ADDRESS.fullmatch(cleaned) else []
