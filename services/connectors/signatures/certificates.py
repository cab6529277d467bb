"""RSA signatures with SHA-256, checked with a certificate that the connection was given: nothing is fetched."""

import base64
import binascii
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtensionNotFound,
    SubjectAlternativeName,
    load_pem_x509_certificates,
)
from cryptography.x509.oid import NameOID

from crm.errors import Refused
from crm.scalars import Micros


@lru_cache(maxsize=1_024)
def certificates_in(text: str, host: str) -> tuple[tuple[RSAPublicKey, datetime, datetime], ...]:
    """Returns the keys of a PEM text, or base64 of one, that are for `host` or a name under it, with their validity.

    Certificates of authorities in the same text are for no host, so they sign nothing. Raises Refused.
    """
    pem = text.strip().encode()
    try:
        if not pem.startswith(b"-----BEGIN"):
            pem = base64.b64decode(pem, validate=True)
        loaded = load_pem_x509_certificates(pem)
    except (ValueError, binascii.Error):
        raise Refused("The certificate of this connection cannot be read. Nothing was kept. Set it again.") from None
    ours = [one for one in loaded if any(is_host(name, host) for name in names_of(one))]
    keys = [(one.public_key(), one.not_valid_before_utc, one.not_valid_after_utc) for one in ours]
    return tuple((key, since, until) for key, since, until in keys if isinstance(key, RSAPublicKey))


def names_of(certificate: Certificate) -> list[str]:
    """Returns the hosts that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        return names.get_values_for_type(DNSName)
    except ExtensionNotFound:
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def is_host(name: str, host: str) -> bool:
    return name == host or name.endswith("." + host)


def address_at(host: str, url: str) -> str:
    """Returns the URL at which a vendor says that its certificate is. Raises Refused for any host but the vendor's."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" and is_host(parts.hostname or "", host) and not parts.username
        known = known and parts.port in (None, 443)
    except ValueError:
        known = False
    if not known or not url.isascii() or len(url) > 300:
        raise Refused(f"Its certificate is not of {host}. Nothing was kept.")
    return url


def is_signed(text: str, host: str, signature: bytes, signed: bytes, at: Micros) -> bool:
    """Whether one of the certificates that were valid then has made this signature. Raises Refused."""
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    for key, since, until in certificates_in(text, host):
        if since <= moment <= until:
            try:
                key.verify(signature, signed, PKCS1v15(), SHA256())
            except InvalidSignature:
                continue
            return True
    return False
