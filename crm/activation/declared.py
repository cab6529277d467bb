"""What a connector says of its vendor's API, so that a connection can be activated: data, without code.

In each text, `{name}` is filled in: a setting of the connection, or one of `url` (of the connection), `secret`,
`connection` (its id), `topic`, `id` (of a webhook). A path such as `result.username` says where in a JSON answer a
value is; an empty path is the whole answer.
"""

from typing import Any, Literal

from msgspec import Struct

SecretFrom = Literal["given", "token", "made", "checked", "registered"]


class Call(Struct, frozen=True, omit_defaults=True):
    """One request: a path with its query, and a body as JSON or as a form."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    query: dict[str, str] = {}
    json: Any = None
    form: dict[str, str] = {}


class Webhooks(Struct, frozen=True, omit_defaults=True):
    """How the vendor is asked which webhooks it has, and where its answer says what of each."""

    call: Call
    each: str = ""  # path of what says it; empty: the whole answer
    listed: bool = False  # whether that is a list, or an object of them by their ids; else there is only one webhook
    url: str = "url"  # path in each; empty: each is an address itself
    url_is: str = "{url}"  # what it is there
    topic: str = ""
    id: str = ""  # path; empty: the name in the object
    on: str = ""  # path of what says whether it is switched on; empty: each that is there is on
    on_is: tuple[str, ...] = ("true",)  # the texts of it that mean on
    error: str = ""  # path of what failed last, in the vendor's words


class Activation(Struct, frozen=True, omit_defaults=True):
    """How a connection is activated."""

    base: str  # https://api.vendor.example; the only host that is called
    needs: tuple[str, ...]  # settings (or `secret`) that must be given; without one nothing is activated
    check: Call  # whose key is it?
    headers: dict[str, str] = {}  # of each request: where the key is
    account: str = ""  # path of the account's name in the answer to `check`
    secret: SecretFrom = "given"  # or the setting `token`; or made by us; or out of the answer to `check` or `register`
    secret_at: str = ""  # path of the secret there
    register: Call | None = None  # None: the vendor has no API for it, and `by_hand` says what to do
    then: Call | None = None  # follows `register`: such as the account that installs the app
    topics: tuple[str, ...] = ()  # a webhook for each of them; none: one for all
    webhooks: Webhooks | None = None
    repair: Call | None = None  # switches a webhook on that the vendor has switched off; None: it is registered again
    unregister: Call | None = None
    good: dict[str, str] = {}  # what else a good answer says, besides its status of 200 to 299: {"ok": "true"}
    why: str = ""  # path of the vendor's words about what went wrong
    ports: tuple[int, ...] = ()  # the only ones that the vendor calls
    by_hand: str = ""  # what is left to a person, as a sentence; {url} is filled in
    any_host: bool = False  # the host is a setting: it must be a public one, and nothing else is called


class OAuth(Struct, frozen=True, omit_defaults=True):
    """How the owner of an account permits access: OAuth 2 with a code (RFC 6749, section 4.1). Settings are filled in.

    What comes of it is what `oauth2` of crm/poll_paging.py reads: the connection's secret, or with `setting` that
    setting, where the secret is for something else. `pkce`: the vendor takes RFC 7636.
    """

    authorize_url: str  # https://vendor.example/oauth/authorize: a person opens it
    token_url: str  # https://vendor.example/oauth/token: Potik sends the code there
    scopes: tuple[str, ...] = ()
    extra: dict[str, str] = {}  # more parameters of the link, such as {"access_type": "offline"}
    pkce: bool = True
    setting: str = ""
    good: dict[str, str] = {}  # see Activation
    why: str = "error_description"
