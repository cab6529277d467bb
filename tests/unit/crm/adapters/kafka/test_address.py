"""KAFKA_BOOTSTRAP says where Kafka is and how to sign in, and no sentence about it shows a password."""

import ssl
from pathlib import Path

import pytest

from crm.adapters.kafka.address import client_options, servers_of

TWO = "kafka-1:9094,kafka-2:9094"


def test_an_address_alone_needs_no_more() -> None:
    assert client_options(TWO) == {"bootstrap_servers": TWO}
    assert servers_of(TWO) == TWO


def test_a_password_and_tls() -> None:
    options = dict(client_options(f"sasl-ssl://potik:p%40ss%3Aword@{TWO}"))
    assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
    assert options == {
        "bootstrap_servers": TWO,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "potik",
        "sasl_plain_password": "p@ss:word",
    }
    plain = client_options(f"sasl-plaintext://a:b@{TWO}?mechanism=plain")
    assert (plain["sasl_mechanism"], "ssl_context" in plain) == ("PLAIN", False)
    assert {*client_options(f"ssl://{TWO}")} == {"bootstrap_servers", "security_protocol", "ssl_context"}
    assert servers_of(f"sasl-ssl://potik:s3cret@{TWO}?mechanism=PLAIN") == TWO


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"kafka://potik:s3cret@{TWO}", "begins with one of ssl://, sasl-plaintext://, sasl-ssl://"),
        (f"sasl_ssl://potik:s3cret@{TWO}", "begins with one of ssl://"),  # a URL's scheme has no underscore
        ("sasl-ssl://", "has servers"),
        (f"sasl-ssl://potik@{TWO}", "a user and a password stand before the servers"),
        (f"sasl-ssl://potik:s3cret@{TWO}?mechanism=GSSAPI", "the mechanism is one of SCRAM-SHA-512"),
        (f"sasl-ssl://potik:s3cret@{TWO}?cafile=x", "'cafile' is none of mechanism, ca, certificate, key"),
        (f"sasl-ssl://potik:s3cret@{TWO}?ca=/no/such/file", "a file of it cannot be read"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"docs/kafka-access\.md") as error:
        client_options(address)
    assert why in str(error.value)
    assert "s3cret" not in str(error.value)


def test_a_file_that_is_no_certificate_is_said(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ValueError, match="a file of it cannot be read"):
        client_options(f"ssl://{TWO}?ca={tmp_path / 'ca.pem'}")
