"""Events of PayPal, signed with a certificate of our own in PayPal's place."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors.paypal.webhook import signed_text
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, with_post

secret_of = partial(derived_secret, "paypal")
CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-rehearsal"
YEARS = timedelta(days=3650)


@lru_cache(maxsize=8)
def keys(seed: str, host: str = "messageverificationcerts.paypal.com") -> tuple[rsa.RSAPrivateKey, str]:
    """Returns a key and its certificate for a host as PEM, the same for one seed within a process. For rehearsals."""
    key, name = rsa.generate_private_key(65537, 2048), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    since = datetime(2025, 1, 1, tzinfo=UTC)
    certificate = builder.not_valid_before(since).not_valid_after(since + YEARS).sign(key, SHA256())
    return key, certificate.public_bytes(Encoding.PEM).decode()


def signed(key: rsa.RSAPrivateKey, webhook_id: str, body: bytes, at: Micros, url: str = CERTIFICATE_URL) -> Post:
    """Returns an event that was sent at a moment."""
    sent = datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {"content-type": JSON, "paypal-transmission-id": "dfb3be50-fd74-11e4-8bf3-77339302725b"}
    headers |= {"paypal-transmission-time": sent, "paypal-cert-url": url, "paypal-auth-algo": "SHA256withRSA"}
    signature = key.sign(signed_text(headers, webhook_id, body).encode(), PKCS1v15(), SHA256())
    return headers | {"paypal-transmission-sig": base64.b64encode(signature).decode()}, body


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(keys(seed)[0], secret_of(seed), delivery.body, delivery.received_at))


def settings(seed: str) -> Mapping[str, str]:
    return {"certificate": keys(seed)[1]}


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, settings=settings)
