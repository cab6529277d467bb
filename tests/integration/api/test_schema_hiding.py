"""clairvoyance, which rebuilds a hidden schema from suggestions ("did you mean …?"), learns nothing."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from graphql import build_schema, graphql_sync

from api.access import may_introspect
from api.engine import Engine, refused
from api.sdl import sdl
from tests.support.graphql_server import FakeToken
from tests.support.shop_rows import SHOP
from tests.support.timeouts import TIMEOUT
from tests.support.tools import PYTHON

SCHEMA = build_schema(sdl())
GIVES_UP = "Field Suggestion is not fully enabled on this endpoint"
Answer = Callable[[str], bytes]


def talkative(query: str) -> bytes:
    """As a server that suggests."""
    return json.dumps(graphql_sync(SCHEMA, query).formatted).encode()


def secretive(query: str) -> bytes:
    """As the API with CRM_INTROSPECTION=none; what fits the schema is not run, there are no rows here."""
    plan = ENGINE.prepare(query, None, FakeToken(SHOP))
    return refused(plan.errors).body if plan.errors else b'{"data": {}}'


ENGINE = Engine(may_introspect=may_introspect("none"))


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(json.loads(self.rfile.read(int(self.headers["content-length"])))["query"])
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/graphql"
        server.shutdown()
        thread.join()


def learned(answer: Answer, folder: Path) -> set[str]:
    """The query fields that it comes to know from names without their last letters. Where nothing is to be learned it
    gives up, and says that there are no suggestions."""
    assert SCHEMA.query_type
    words, found = folder / "words", folder / "found.json"
    words.write_text(
        "\n".join(sorted({name[:-1] for name in SCHEMA.query_type.fields} - SCHEMA.query_type.fields.keys()))
    )
    with serving(answer) as url:
        command = [PYTHON, "-m", "clairvoyance", *f"-w {words} -o {found} -c 2 -m 1 -b 0 {url}".split()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode and GIVES_UP in done.stderr:
        return set()
    assert not done.returncode, done.stderr
    types = json.loads(found.read_text())["data"]["__schema"]["types"]
    return {field["name"] for kind in types if kind["name"] == "Query" for field in kind["fields"] or ()}


def test_a_server_that_suggests_gives_itself_away(tmp_path: Path) -> None:
    assert {"contact", "deals", "payments"} <= learned(talkative, tmp_path)


def test_nothing_is_learned_here(tmp_path: Path) -> None:
    assert learned(secretive, tmp_path) == set()
