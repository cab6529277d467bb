"""References as they are compared: an order's number is the same however somebody types it."""

import re
from functools import lru_cache

from crm.state.keys import key

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
# Cyrillic letters that look like Latin ones: who types a reference does not see which they are.
LOOK_ALIKE = str.maketrans("АВЕІКМНОРСТХУ" + DASHES[1:], "ABEIKMHOPCTXY" + "-" * (len(DASHES) - 1))
GLUE = re.compile(r"(?<=[^\W\d_])[-_.№# ]+(?=\d)")
SPACE = re.compile(r"\s+")


@lru_cache(maxsize=8192)
def reference_of(text: str) -> str:
    """In capitals, without blanks or a dash between letters and digits: "wc 10045" and "WC-10045" are WC10045."""
    text = text.strip().upper()
    if not text.isascii():
        text = text.translate(LOOK_ALIKE)
    return SPACE.sub("", GLUE.sub("", text.lstrip("№# ")))


def reference_key(text: str) -> str:
    return key(reference_of(text))


def as_compared(hint: str) -> str:
    """A hint of an old event, which has a reference as it was written."""
    kind, _, reference = hint.partition(":")
    return f"reference:{reference_key(reference)}" if kind == "reference" and reference[:7] != "sha256:" else hint
