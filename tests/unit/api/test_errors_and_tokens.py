"""Tokens, client errors and GraphiQL's files."""

from typing import Any

import pytest
from graphql import GraphQLError

from api.access import TO_CHANGE, require, require_installation, workspace
from api.errors import BadInput, Forbidden, Unauthorized, client_error, log_bugs
from api.graphiql import files, static
from crm.tokens import INSTALLATION, INSTALLATION_SCOPE
from services.intake.bulk import MAY_WRITE

SHOP = "11111111-1111-4111-8111-111111111111"


class Token:
    """A token of the test."""

    workspace, id = SHOP, "key"

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes


class Known:
    """Tokens in a dict."""

    def token(self, text: str) -> Token | None:
        return {"r": Token("read"), "a": Token("admin"), "w": Token("write", "connect")}.get(text)

    def role(self, text: str) -> None:
        return None


@pytest.mark.parametrize("authorization", ["Bearer r", "bearer r", "Bearer  a "])
def test_a_bearer_token_identifies_its_workspace(authorization: str) -> None:
    assert workspace(Known(), authorization) == SHOP


@pytest.mark.parametrize("authorization", ["", "r", "Bearer", "Bearer ", "Basic r", "Bearer x", "Bearer w"])
def test_anything_else_is_refused(authorization: str) -> None:
    with pytest.raises(Unauthorized):
        workspace(Known(), authorization)


def installation(workspace: str, *scopes: str) -> Token:
    token = Token(*scopes)
    token.workspace = workspace
    return token


def test_a_token_of_the_installation_is_good_for_workspaces_and_nothing_in_them() -> None:
    token = installation(INSTALLATION, INSTALLATION_SCOPE)
    require_installation(token)
    require(token, *TO_CHANGE)  # it may send mutations, each of which requires a scope of its own
    for scopes in (("read",), ("write",), ("connect",), ("admin",), ()):
        with pytest.raises(Forbidden):
            require(token, *scopes)
    assert not MAY_WRITE & {INSTALLATION_SCOPE}  # the intake takes no facts with it


@pytest.mark.parametrize(
    "token",
    [
        installation(SHOP, "read", "write", "connect", "admin"),
        installation(SHOP, INSTALLATION_SCOPE),  # as no command makes one
        installation(INSTALLATION, "admin"),
    ],
)
def test_no_other_token_creates_workspaces(token: Token) -> None:
    with pytest.raises(Forbidden, match="Only a token of the installation creates workspaces"):
        require_installation(token)


def test_an_expected_error_keeps_its_sentence_and_a_bug_does_not() -> None:
    expected = GraphQLError("first", original_error=BadInput("`first` is 0"), path=["deals"])
    assert client_error(expected) is expected
    assert expected.extensions == {"code": "BAD_INPUT"}
    bug = client_error(GraphQLError("secret", original_error=ValueError("secret"), path=["deals"]))
    assert bug.formatted == {
        "message": "Internal error. It is in the server's log. Nothing was changed.",
        "path": ["deals"],
        "extensions": {"code": "INTERNAL"},
    }


def test_a_callers_mistake_is_not_logged_and_a_bug_is_without_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Any] = []
    monkeypatch.setattr("api.errors.log.error", lambda text, **more: lines.append((text, more)), raising=False)
    bug = ValueError("broken")
    log_bugs([GraphQLError("no such field"), GraphQLError("x", original_error=BadInput("y"))], None)
    assert lines == []
    log_bugs([GraphQLError("broken", original_error=bug, path=["deals", 0])], None)
    assert lines == [("query failed", {"operation": None, "path": ["deals", 0], "exc_info": bug})]


def test_graphiqls_files_are_scripts_and_styles_only() -> None:
    assert {"page.js", "page.css", "graphiql.min.js", "react.production.min.js"} <= files().keys()
    assert {name.rpartition(".")[2] for name in files()} == {"js", "css"}


@pytest.mark.parametrize(
    "path", ["/x", "/graphiql/", "/graphiql/../app.py", "/graphiql/__init__.py", "/graphiql/page.html"]
)
def test_nothing_else_is_served(path: str) -> None:
    assert static(path)[0] == 404
