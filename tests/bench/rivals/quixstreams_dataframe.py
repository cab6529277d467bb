"""`python -m tests.bench.rivals.quixstreams_dataframe BOOTSTRAP TOPIC EVENTS`: a dataframe that folds each value."""

import os
import sys

from quixstreams import Application

from tests.bench.rivals.fold import FoldCounter

bootstrap, name, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
folded: list[FoldCounter] = []


def take(value: bytes) -> None:
    if not folded:
        folded.append(FoldCounter(wanted))
    if folded[0].take(value):
        folded[0].print_figures()
        os._exit(0)


if __name__ == "__main__":
    app = Application(
        broker_address=bootstrap, consumer_group=f"rival-{os.getpid()}", auto_offset_reset="earliest", loglevel="ERROR"
    )
    app.dataframe(app.topic(name, value_deserializer="bytes", key_deserializer="bytes")).update(take)
    app.run()
