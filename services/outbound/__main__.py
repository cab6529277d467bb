"""The role outbound: `python -m services.outbound`. It sends what the journal gives reason to send."""

from crm.settings import Settings
from services.outbound.followers import FOLLOWERS
from services.outbound.role import Outbound
from streams.runtime.role import run


def outbound(settings: Settings) -> Outbound:
    return Outbound(settings, lambda role: [make(role) for make in FOLLOWERS])


if __name__ == "__main__":
    run("outbound", outbound)
