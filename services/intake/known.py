"""The newest ids that came to /facts, each with the digest of its content: so a repeat is no conflict."""

from collections import OrderedDict
from collections.abc import Mapping

from crm.scalars import Id


class Known:
    """Holds the newest `size` ids. Another process knows others; what is not known here, decide compares once more."""

    def __init__(self, size: int = 200_000) -> None:
        self.size = size
        self.digests: OrderedDict[Id, str] = OrderedDict()

    def get(self, id: Id) -> str | None:
        """The digest of what was kept under the id."""
        return self.digests.get(id)

    def learn(self, digests: Mapping[Id, str]) -> None:
        """Of facts that are kept. The first content of an id is its content for ever."""
        for id, digest in digests.items():
            self.digests.setdefault(id, digest)
        while len(self.digests) > self.size:
            self.digests.popitem(last=False)
