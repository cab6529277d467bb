"""Where Kafka is, and how to sign in there: the setting KAFKA_BOOTSTRAP.

`host:port,host:port` without either TLS or a password, or an address as docs/kafka-access.md describes it:

    sasl-ssl://potik:password@kafka-1:9094,kafka-2:9094?mechanism=SCRAM-SHA-512&ca=/etc/kafka/ca.pem

`ssl://` encrypts, `sasl-plaintext://` signs in, `sasl-ssl://` does both. A password is written as in any URL.
"""

import ssl
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from crm.settings import mask

PROTOCOLS = {"ssl": "SSL", "sasl-plaintext": "SASL_PLAINTEXT", "sasl-ssl": "SASL_SSL"}
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
PARAMETERS = ("mechanism", "ca", "certificate", "key")


def servers_of(bootstrap: str) -> str:
    """Returns `host:port,host:port`, without anything secret: for people, and for clients that take these alone."""
    return urlsplit(bootstrap).netloc.rpartition("@")[2] if "://" in bootstrap else bootstrap


@lru_cache(maxsize=8)
def client_options(bootstrap: str) -> dict[str, Any]:
    """Returns the options of an aiokafka client. Raises ValueError with a sentence that shows no password."""
    if "://" not in bootstrap:
        return {"bootstrap_servers": bootstrap}
    parts = urlsplit(bootstrap)
    given = dict(parse_qsl(parts.query))
    if parts.scheme not in PROTOCOLS or not servers_of(bootstrap):
        raise wrong(bootstrap, f"it begins with one of {', '.join(f'{name}://' for name in PROTOCOLS)} and has servers")
    if unknown := given.keys() - {*PARAMETERS}:
        raise wrong(bootstrap, f"{min(unknown)!r} is none of {', '.join(PARAMETERS)}")
    options: dict[str, Any] = {"bootstrap_servers": servers_of(bootstrap), "security_protocol": PROTOCOLS[parts.scheme]}
    if parts.scheme.endswith("ssl"):
        options["ssl_context"] = context_of(bootstrap, given)
    if parts.scheme.startswith("sasl"):
        options |= credentials_of(bootstrap, given)
    return options


def credentials_of(bootstrap: str, given: dict[str, str]) -> dict[str, Any]:
    mechanism = given.get("mechanism", MECHANISMS[0]).upper()
    login, _, _ = urlsplit(bootstrap).netloc.rpartition("@")
    user, _, password = login.partition(":")
    if mechanism not in MECHANISMS:
        raise wrong(bootstrap, f"the mechanism is one of {', '.join(MECHANISMS)}")
    if not user or not password:
        raise wrong(bootstrap, "a user and a password stand before the servers: user:password@host:port")
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": unquote(user),
        "sasl_plain_password": unquote(password),
    }


def context_of(bootstrap: str, given: dict[str, str]) -> ssl.SSLContext:
    """`ca`: whom to trust, a PEM file; else those of the system. `certificate` and `key`: who this client is."""
    try:
        context = ssl.create_default_context(cafile=given.get("ca"))
        if "certificate" in given:
            context.load_cert_chain(given["certificate"], given.get("key"))
    except OSError as error:
        raise wrong(bootstrap, f"a file of it cannot be read: {error}") from None
    return context


def wrong(bootstrap: str, why: str) -> ValueError:
    return ValueError(f"KAFKA_BOOTSTRAP is {mask(bootstrap)!r}; {why}. See docs/kafka-access.md.")
