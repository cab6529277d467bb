"""GraphiQL, served from installed files: it works without the internet and runs no script but its own."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OURS = Path(__file__).parent
THEIRS = "graphene_django_graphiql_static"  # a wheel that carries React and GraphiQL
EXAMPLES = "/graphiql/examples.json"
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# The hash is that of the one style that GraphiQL puts in itself, when a dialog opens.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HINT = b"This is the API. Send GraphQL to POST /graphql, or open /graphql in a browser.\n"
Page = tuple[int, bytes, str]


@cache
def files() -> dict[str, Path]:
    """What can be asked for, by name. The wheel's Python is never run: it wants Django."""
    spec = find_spec(THEIRS)
    theirs = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else OURS
    found = [*(theirs / "static" / THEIRS).glob("*"), *OURS.glob("*")]
    return {path.name: path for path in found if path.suffix in KINDS}


def static(path: str) -> Page:
    """Status, body and content type: the page for /graphql, its files for /graphiql/<name>."""
    if path == "/graphql":
        return 200, read(OURS / "page.html"), "text/html; charset=utf-8"
    if path == "/":
        return 200, HINT, "text/plain; charset=utf-8"
    if path == EXAMPLES:
        return 200, examples(), "application/json"
    file = files().get(path.removeprefix("/graphiql/"))
    if file is None:
        return (
            404,
            b'{"errors": [{"message": "There is nothing here. Queries go to POST /graphql."}]}\n',
            "application/json",
        )
    return 200, read(file), KINDS[file.suffix]


@cache
def examples() -> bytes:
    """The stories in examples/, in order: the two lines of comment that open a file are its name and what it shows."""
    told = []
    for file in sorted((OURS / "examples").glob("*.graphql")):
        name, about, query = file.read_text("utf-8").split("\n", 2)
        told.append({"name": name.removeprefix("# "), "about": about.removeprefix("# "), "query": query})
    return json.dumps(told, ensure_ascii=False).encode()


@cache
def read(file: Path) -> bytes:
    return file.read_bytes()
