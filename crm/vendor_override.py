"""Where a vendor is asked in tests, in place of its own address."""

from collections.abc import Mapping

VARIABLE = "CRM_VENDOR_URL_"  # and the connector's name: the base of its API, such as http://127.0.0.1:9000


def override_of(connector: str, environment: Mapping[str, str]) -> str:
    """Returns the base address that stands in for the vendor's; empty outside of tests and simulators."""
    return environment.get(variable(connector), "")


def variable(connector: str) -> str:
    return VARIABLE + connector.upper().replace("-", "_")
