"""`python -m tests.bench.rivals.quix BOOTSTRAP TOPIC EVENTS`: a quixstreams dataframe that folds each value."""

import os
import sys

from quixstreams import Application

from tests.bench.rivals.folded import Folded

bootstrap, name, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
folded: list[Folded] = []


def take(value: bytes) -> None:
    if not folded:
        folded.append(Folded(wanted))
    if folded[0].take(value):
        folded[0].tell()
        os._exit(0)


if __name__ == "__main__":
    app = Application(
        broker_address=bootstrap, consumer_group=f"rival-{os.getpid()}", auto_offset_reset="earliest", loglevel="ERROR"
    )
    app.dataframe(app.topic(name, value_deserializer="bytes", key_deserializer="bytes")).update(take)
    app.run()
