"""A cache of content digests by id, which tells a repeated fact from a conflicting one."""

from collections import OrderedDict
from collections.abc import Mapping

from crm.scalars import Id


class DigestCache:
    """Holds the newest `size` ids of this process. Decide compares digests again, so a missing id does no harm."""

    def __init__(self, size: int = 200_000) -> None:
        self.size = size
        self.digests: OrderedDict[Id, str] = OrderedDict()

    def get(self, id: Id) -> str | None:
        """Returns the digest of the content that was kept under the id; None when it is not cached."""
        return self.digests.get(id)

    def add(self, digests: Mapping[Id, str]) -> None:
        """Adds the digests of stored facts. The first content of an id is its content permanently."""
        for id, digest in digests.items():
            self.digests.setdefault(id, digest)
        while len(self.digests) > self.size:
            self.digests.popitem(last=False)
