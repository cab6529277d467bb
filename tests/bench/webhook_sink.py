"""The receivers of the benchmark of webhooks, an endpoint for each path.

`/N` answers 204 at once, `/dead-N` closes the connection, `/slow-N` answers after half a minute.
"""

import re
import time
from collections import defaultdict

from tests.bench.sink_server import Arrived, Endpoint, serve

AT = re.compile(rb'"text":"(\d+) ')
ID = re.compile(rb"webhook-id: ([0-9a-f-]+)", re.IGNORECASE)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
SLOW_SECONDS = 30.0
arrived: Arrived = defaultdict(list)  # by endpoint: when, committed when, id, card


class Receiver(Endpoint):
    def take(self, path: str, request: bytes, head: int) -> None:
        name = path.strip("/")
        if name.startswith("dead"):
            self.transport.abort()
            return
        committed, id = AT.search(request, head), ID.search(request, 0, head)
        card = request.partition(b'"subject":"')[2][:36].decode()
        row = time.time_ns(), int(committed[1]) if committed else 0, id[1].decode() if id else "", card
        arrived[name].append(row)
        self.answer(NO_CONTENT, SLOW_SECONDS if name.startswith("slow") else 0)


if __name__ == "__main__":
    serve(Receiver, arrived)
