"""OAuth 2 with a code (RFC 6749, section 4.1), with PKCE (RFC 7636): the link, the request, its answer. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urlsplit

from crm.activation.answers import VendorAnswer, VendorSaysNo, read_answer, said
from crm.activation.declared import OAuth
from crm.activation.requests import FIELD, VendorRequest, filled

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


def authorize_link(
    declared: OAuth, settings: Mapping[str, str], client_id: str, redirect: str, state: str, verifier: str
) -> str:
    """Returns the link by which a person permits access. `verifier`: see `challenge`; empty without PKCE."""
    parameters = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect, "state": state}
    if declared.scopes:
        parameters["scope"] = " ".join(declared.scopes)
    if verifier:
        parameters |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    url = filled(declared.authorize_url, settings)
    return f"{url}{'&' if '?' in url else '?'}{urlencode({**declared.extra, **parameters})}"


def challenge(verifier: str) -> str:
    """Returns what the link shows of a verifier, which itself is sent with the code alone (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def code_request(
    connector: str, declared: OAuth, settings: Mapping[str, str], client: tuple[str, str], code: str, redirect: str,
    verifier: str,
) -> VendorRequest:  # fmt: skip
    """Returns the request that exchanges a code for tokens. `client`: its id and its secret."""
    id, secret = client
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": id}
    form |= {"client_secret": secret} | ({"code_verifier": verifier} if verifier else {})
    parts = urlsplit(filled(declared.token_url, settings))
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    base, named = f"{parts.scheme}://{parts.netloc}", FIELD.search(declared.token_url) is not None
    return VendorRequest(connector, "POST", base, target, FORM, urlencode(form).encode(), named)


def refresh_token(connector: str, declared: OAuth, answer: VendorAnswer, secrets: Iterable[str]) -> str:
    """Returns the refresh token of an answer. Raises VendorSaysNo and VendorAway, with none of the secrets."""
    found = read_answer(connector, declared, answer, secrets)
    token, granted = said(found, "refresh_token"), set(said(found, "scope").replace(",", " ").split())
    if not token:
        raise VendorSaysNo(f"{connector} gave no refresh token, so the access would end within hours.")
    missing = [scope for scope in declared.scopes if scope not in granted] if granted else []
    if missing:  # RFC 6749, section 5.1: it says which when they are others than what was asked for
        raise VendorSaysNo(f"Not everything was permitted that is needed: {', '.join(missing)} is missing.")
    return token


def permission_of(client: tuple[str, str], token: str) -> str:
    """Returns what is kept, as `oauth2` of crm/poll_paging.py reads it."""
    return ":".join((*client, token))
