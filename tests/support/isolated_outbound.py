"""`python -m tests.support.isolated_outbound TOPIC`: the role outbound on the journal of one test.

What is on its way when the role is stopped gets as long as tests wait: on a busy machine its four seconds may be over
before an answer is stored, and a test would measure that.
"""

import sys

from crm.settings import Settings
from services.outbound import sender
from services.outbound.followers import FOLLOWERS
from services.outbound.role import Outbound
from streams.runtime import role
from tests.support.timeouts import TIMEOUT


def outbound(settings: Settings) -> Outbound:
    topic = sys.argv[1]
    return Outbound(settings, lambda role: [make(role) for make in FOLLOWERS], topic, topic)


if __name__ == "__main__":
    sender.PATIENCE = role.PATIENCE = TIMEOUT
    role.run("outbound", outbound)
