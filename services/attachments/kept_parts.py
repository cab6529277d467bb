"""The files that came within a delivery: parts of its raw bytes, found again by the SHA-256 of their content."""

from hashlib import sha256

from crm.shared import Raw
from services.connectors.mails.packed import repacked


def part_of(raw: Raw, digest: str) -> bytes | None:
    """Returns the part with this SHA-256 in hex, however it is packed; None where there is none."""
    found: list[bytes] = []

    def look(content: bytes) -> bytes | None:
        if not found and sha256(content).hexdigest() == digest:
            found.append(content)
        return content if found else None  # nothing is looked for in what was found, nor after it

    if look(raw.body) is None:
        repacked(raw.body, raw.content_type, look)
    return found[0] if found else None
