"""Requests of web forms, as a browser or a page's script sends them."""

from collections.abc import Mapping
from functools import partial

from services.connectors.rehearsal import Post, Rehearsal, derived_secret, form_post, json_post


def form(fields: Mapping[str, object], token: str = "") -> Post:
    """Returns a browser's POST; `token` is for a connection whose settings ask for one."""
    headers, body = form_post(fields)
    return headers | ({"x-form-token": token} if token else {}), body


REHEARSAL = Rehearsal(
    {"submit_form": lambda _seed, fields: form(fields), "submit_report": lambda _seed, fields: json_post(fields)},
    partial(derived_secret, "form"),
)
