"""An id stands for one content, always: what comes under it with other content is another version of the fact.

The open API gives each fact that has a name a digest of what was said, however it was written.
"""

import re

from crm.envelope import Fact

DIGEST = "fact-digest"  # among the headers of its raw bytes, and of its record
OPEN_API = "facts"  # meta.actor of what it received
HEX = re.compile("[0-9a-f]{32}")


def digest_of(fact: Fact) -> str:
    """32 hex digits; empty where the fact cannot be compared with another of its id."""
    raw = getattr(fact, "raw", None)
    if raw is None or fact.meta.actor != OPEN_API:
        return ""
    digest = raw.headers.get(DIGEST, "")
    return digest if HEX.fullmatch(digest) else ""
