"""`python -m tests.support.isolated_outbound TOPIC`: the role outbound on the journal of one test."""

import sys

from crm.settings import Settings
from services.outbound.followers import FOLLOWERS
from services.outbound.role import Outbound
from streams.runtime.role import run


def outbound(settings: Settings) -> Outbound:
    topic = sys.argv[1]
    return Outbound(settings, lambda role: [make(role) for make in FOLLOWERS], topic, topic)


if __name__ == "__main__":
    run("outbound", outbound)
