"""ECDSA signatures with SHA-256 over the raw body: DER with a PEM key, or r||s with a point of the curve."""

import base64
import binascii
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from crm.errors import Refused

ALGORITHM = ec.ECDSA(SHA256())


def expect_signed(key: ec.EllipticCurvePublicKey, signature: bytes, body: bytes) -> None:
    """`signature` is DER. Raises Refused."""
    try:
        key.verify(signature, body, ALGORITHM)
    except InvalidSignature:
        raise Refused("The signature does not match. Nothing was kept. Check the connection's public key.") from None


def expect_signed_by_one(keys: Sequence[str], signature: bytes, body: bytes) -> None:
    """`expect_signed` with one of several keys, as `der_key` reads them. Raises Refused as the last of them does."""
    for number, key in enumerate(keys, 1):
        try:
            return expect_signed(der_key(key), signature, body)
        except Refused:
            if number == len(keys):
                raise


def from_base64(text: str, what: str) -> bytes:
    """Decodes base64 and accepts only the canonical spelling. Raises Refused."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        decoded = b""
    if not decoded or base64.b64encode(decoded).decode() != text:
        raise Refused(f"The {what} is missing or no base64. Nothing was kept.")
    return decoded


@lru_cache(maxsize=1_024)
def pem_key(encoded: str) -> ec.EllipticCurvePublicKey:
    """Returns the key of a base64 of a PEM file. Raises Refused."""
    try:
        key = load_pem_public_key(from_base64(encoded.strip(), "public key of this connection"))
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("The public key of this connection cannot be read. Nothing was kept. Set it again.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("The public key of this connection is not of an elliptic curve. Nothing was kept. Set it again.")
    return key


@lru_cache(maxsize=1_024)
def der_key(encoded: str) -> ec.EllipticCurvePublicKey:
    """Returns the key of a base64 of DER, which is a PEM file without its first and last line. Raises Refused."""
    try:
        key = load_der_public_key(from_base64(encoded.strip(), "public key of this connection"))
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("The public key of this connection cannot be read. Nothing was kept. Set it again.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("The public key of this connection is not of an elliptic curve. Nothing was kept. Set it again.")
    return key


@lru_cache(maxsize=1_024)
def point_key(encoded: str) -> ec.EllipticCurvePublicKey:
    """Returns the key of a base64 of an uncompressed point of secp256k1. Raises Refused."""
    try:
        point = from_base64(encoded.strip(), "public key of this connection")
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), point)
    except ValueError:
        raise Refused("The public key of this connection cannot be read. Nothing was kept. Set it again.") from None


def der(raw: bytes) -> bytes:
    """Returns the DER of the 64 bytes r||s. Raises Refused."""
    if len(raw) != 64:
        raise Refused("The signature is not 64 bytes long. Nothing was kept.")
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
