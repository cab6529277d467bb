"""The vendor of the benchmark of replies: it takes messages as WhatsApp's API does.

The path names the account: `/…/N/messages`. `busyN` refuses with 429 and Retry-After, and takes one in four; `slowN`
answers after some seconds.
"""

import re
import time
from collections import defaultdict

from tests.bench.sink_server import Arrived, Endpoint, serve

TEXT = re.compile(rb'"body":\s*"(\d+) (\d+)')
TO = re.compile(rb'"to":\s*"(\d+)"')
SLOW_SECONDS, RETRY_AFTER = 5.0, 1
arrived: Arrived = defaultdict(list)  # by account: when, committed when, chat, number
refused: dict[str, int] = defaultdict(int)


def answer(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join((*head, "", "")).encode() + body


BUSY = answer(
    "429 Too Many Requests", b'{"error":{"message":"Slow down","code":130429}}', f"retry-after: {RETRY_AFTER}"
)


class Vendor(Endpoint):
    def take(self, path: str, request: bytes, head: int) -> None:
        account = path.split("/")[-2]
        requests = refused[account] + len(arrived[account])
        if account.startswith("busy") and requests % 4:
            refused[account] += 1
            return self.answer(BUSY)
        text, to = TEXT.search(request, head), TO.search(request, head)
        assert text
        assert to
        arrived[account].append((time.time_ns(), int(text[1]), to[1].decode(), int(text[2])))
        body = b'{"messages":[{"id":"wamid.%b.%b"}]}' % (to[1], text[2])
        self.answer(answer("200 OK", body), SLOW_SECONDS if account.startswith("slow") else 0)


if __name__ == "__main__":
    serve(Vendor, arrived, {"refused": lambda: sum(refused.values())})
