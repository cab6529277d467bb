"""Idempotency keys that this process has seen, with the hash of the body that came with each."""

import hashlib
from collections import OrderedDict


class Repeats:
    """Tells a repeated request from another one under the same key. Holds the newest `size` keys.

    What it cannot do: it forgets when the process stops, and knows nothing of other replicas. Then a key that is used
    again with another body is not noticed; its lines without an id get the ids of the first body's lines, and are
    dropped as repeats. A repeat with the same body is harmless always: its facts have the same ids.
    """

    def __init__(self, size: int = 100_000) -> None:
        self.size = size
        self.seen: OrderedDict[str, bytes] = OrderedDict()

    def fits(self, key: str, body: bytes) -> bool:
        """False when the key came with another body before."""
        digest = hashlib.sha256(body).digest()
        known = self.seen.setdefault(key, digest)
        self.seen.move_to_end(key)
        if len(self.seen) > self.size:
            self.seen.popitem(last=False)
        return known == digest
