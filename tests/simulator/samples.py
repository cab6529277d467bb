"""What each vendor delivers here: the connector's own samples, to connections of their settings."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from services.connectors import CONNECTORS
from tests.support.connector_deliveries import NOW
from tests.support.connector_samples import ConnectorSample, connector_samples, folder_of


class Group(NamedTuple):
    """The samples of a vendor that a connection with these settings can receive."""

    vendor: str
    settings: Mapping[str, str]
    samples: list[ConnectorSample]


@cache
def groups() -> dict[str, list[Group]]:
    """Returns the groups of each vendor. What is read as quarantined is left out: the sweep shows that it is kept."""
    found: dict[str, dict[tuple[tuple[str, str], ...], Group]] = {}
    for sample in connector_samples():
        own = (folder_of(sample.vendor) / sample.id.partition("/")[2]).is_file()
        if own and all(fact["type"] != "DeliveryQuarantined" for fact in sample.facts or ()):
            settings = tuple(sorted(sample.connection.settings.items()))
            group = Group(sample.vendor, dict(settings), [])
            found.setdefault(sample.vendor, {}).setdefault(settings, group).samples.append(sample)
    return {vendor: list(of.values()) for vendor, of in found.items()}


def signs_time(sample: ConnectorSample) -> bool:
    """Whether a delivery that was signed an hour ago is refused: the vendor's signature has a time in it."""
    early = sample.sent(signed_at=NOW - 3_600_000_000)
    try:
        CONNECTORS[sample.vendor].receive(early, sample.connection)
    except Exception:
        return True
    return False
