"""GraphiQL, served from installed files: it works without internet access and runs only its own scripts."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OURS = Path(__file__).parent
THEIRS = "graphene_django_graphiql_static"  # a wheel that carries React and GraphiQL
EXAMPLES = "/graphiql/examples.json"
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# The hash is that of the one style element that GraphiQL adds, when a dialog opens.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
START = b"""Potik GraphQL API

/graphql    Send GraphQL with POST and `Authorization: Bearer <token>`, or open it in a browser for GraphiQL.
            Subscriptions use a websocket (graphql-transport-ws) or server-sent events at the same path.
/screen-pop Who is calling, as server-sent events: docs/screen-pop.md.
/livez      Is the process alive?
/readyz     Can it answer? It says what is missing.
/metrics    Prometheus metrics.

Documentation: docs/graphql.md. `crm token create` makes a token. `crm doctor` checks the installation.
"""
Page = tuple[int, bytes, str]


@cache
def files() -> dict[str, Path]:
    """Returns the files that are served, by name. The wheel's Python code is never run: it needs Django."""
    spec = find_spec(THEIRS)
    theirs = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else OURS
    found = [*(theirs / "static" / THEIRS).glob("*"), *OURS.glob("*")]
    return {path.name: path for path in found if path.suffix in KINDS}


def static(path: str) -> Page:
    """Returns status, body and content type of /, /graphql and the files below /graphiql/."""
    if path == "/graphql":
        return 200, read(OURS / "page.html"), "text/html; charset=utf-8"
    if path == "/":
        return 200, START, "text/plain; charset=utf-8"
    if path == EXAMPLES:
        return 200, examples(), "application/json"
    file = files().get(path.removeprefix("/graphiql/"))
    if file is None:
        return (
            404,
            b'{"errors": [{"message": "No such path. Send GraphQL to POST /graphql; / lists all paths."}]}\n',
            "application/json",
        )
    return 200, read(file), KINDS[file.suffix]


@cache
def examples() -> bytes:
    """Returns the examples in order. The two comment lines at the start of a file are its name and description."""
    found = []
    for file in sorted((OURS / "examples").glob("*.graphql")):
        name, about, query = file.read_text("utf-8").split("\n", 2)
        found.append({"name": name.removeprefix("# "), "about": about.removeprefix("# "), "query": query})
    return json.dumps(found, ensure_ascii=False).encode()


@cache
def read(file: Path) -> bytes:
    return file.read_bytes()
