"""The connection's secret in Authorization: as a password of HTTP Basic, which may stand in the URL, or as a token."""

import base64
import binascii

from crm.connector import Connection, Delivery, expect_equal
from crm.connector_proofs import SharedSecret

PASSWORD = SharedSecret(
    "a long random text of your own. It stands in the address that the vendor is given: "
    "https://potik:SECRET@crm.example.com/in/..."
)


def verify_password(delivery: Delivery, connection: Connection) -> None:
    """Takes any user name. Raises Refused."""
    scheme, _, given = delivery.headers.get("authorization", "").partition(" ")
    try:
        pair = base64.b64decode(given, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        pair = ""
    expect_equal(connection.secret, pair.partition(":")[2], "password")


def expect_bearer(delivery: Delivery, connection: Connection) -> None:
    """Raises Refused."""
    expect_equal(f"Bearer {connection.secret}", delivery.headers.get("authorization", ""), "secret of the header")


def basic(secret: str) -> dict[str, str]:
    """Returns the header."""
    return {"authorization": f"Basic {base64.b64encode(f'potik:{secret}'.encode()).decode()}"}
