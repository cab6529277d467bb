"""`python -m tests.bench.rivals.faust_agent BOOTSTRAP TOPIC EVENTS`: an agent that takes record by record."""

import os
import sys
import tempfile

import faust

from tests.bench.rivals.fold import FoldCounter

bootstrap, topic, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
app = faust.App(
    f"rival-{os.getpid()}",
    broker=f"kafka://{bootstrap}",
    value_serializer="raw",
    key_serializer="raw",
    topic_disable_leader=True,
    web_enabled=False,
    datadir=tempfile.mkdtemp(),
    consumer_auto_offset_reset="earliest",
)
folded: list[FoldCounter] = []


@app.agent(app.topic(topic, value_serializer="raw", key_serializer="raw"))
async def fold(stream: faust.StreamT[bytes]) -> None:
    async for value in stream:
        if not folded:
            folded.append(FoldCounter(wanted))
        if folded[0].take(value):
            folded[0].print_figures()
            os._exit(0)


if __name__ == "__main__":
    faust.Worker(app, loglevel="error").execute_from_commandline()
