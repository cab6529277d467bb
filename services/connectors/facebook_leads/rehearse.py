"""Requests of Meta, signed like it. A relay signs nothing: its token is in the URL of its samples."""

from functools import partial

from services.connectors.rehearsal import Post, Rehearsal, derived_secret
from services.connectors.signatures.meta import SIGNATURE, meta_signature


def signed(secret: str, post: Post, _at: int) -> Post:
    headers, body = post
    return headers | {SIGNATURE: meta_signature(body, secret)}, body


REHEARSAL = Rehearsal({}, partial(derived_secret, "facebook-leads"), prove=signed, captured="facebook-leadgen")
