"""Deprecated fields, each with its dates and what to use instead. A test checks the dates."""

DEPRECATED: dict[tuple[str, str], str] = {
    ("TimelineEntry", "currency"): "Since 2026-11-25, until 2027-05-25: use `amount { currency }`.",
}
