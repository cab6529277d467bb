"""GraphiQL, served from installed files: it works without the internet and runs no script but its own."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

OURS = Path(__file__).parent
THEIRS = "graphene_django_graphiql_static"  # a wheel that carries React and GraphiQL
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
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
    file = files().get(path.removeprefix("/graphiql/"))
    if file is None:
        return (
            404,
            b'{"errors": [{"message": "There is nothing here. Queries go to POST /graphql."}]}\n',
            "application/json",
        )
    return 200, read(file), KINDS[file.suffix]


@cache
def read(file: Path) -> bytes:
    return file.read_bytes()
