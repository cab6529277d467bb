"""Idempotency keys that this process has seen, with the hash of each one's body."""

import hashlib
from collections import OrderedDict


class IdempotencyKeys:
    """Tells a repeated request from another request under the same key. Holds the newest `size` keys.

    It is lost when the process stops and not shared between replicas. A key that is then used again with another body
    goes unnoticed: lines without an id get the ids of the first body's lines and are dropped as repeats. A repeat with
    the same body is always safe: its facts have the same ids.
    """

    def __init__(self, size: int = 100_000) -> None:
        self.size = size
        self.seen: OrderedDict[str, bytes] = OrderedDict()

    def accepts(self, key: str, body: bytes, remember: bool = True) -> bool:
        """Returns False when the key was used with another body before."""
        digest = hashlib.sha256(body).digest()
        known = self.seen.get(key, digest)
        if remember:
            self.seen[key] = known
            self.seen.move_to_end(key)
            if len(self.seen) > self.size:
                self.seen.popitem(last=False)
        return known == digest
