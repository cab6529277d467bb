"""`crm bench console`: the console in a real browser, against the running stack: moves, cards, calls that ring."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from services.stack.demo_workspace import Demo
from services.stack.state import StackState
from tests.bench.machine import machine
from tests.support import rehearse
from tests.support.browser import CHROMIUM, chromium
from tests.support.console import ConsolePage
from tests.support.timeouts import TIMEOUT

Say = Callable[[str], None]
CHUNK = 20_000  # facts of a request
MOVES = 40
GOALS = {
    "board_first_paint_ms": 1_000,
    "board_nodes": 1_500,
    "move_painted_p95_ms": 50,
    "move_confirmed_p95_ms": 300,
    "move_seen_elsewhere_p95_ms": 300,
    "card_shown_ms": 400,
    "slider_step_p95_ms": 150,
    "ring_on_screen_p99_ms": 500,
    "javascript_compressed_kb": 60,
}
WRITER = """{ search(text: "Who Writes", types: [CONTACT]) { hits { node {
  ... on Contact { id conversations(first: 1) { nodes { messageCount } } } } } } }"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
MOVE = """new Promise(done => {
  const tile = document.querySelector('[data-stage=%s] .tile'), id = tile.dataset.id, began = performance.now();
  const said = document.querySelector('#said'); said.textContent = '';
  tile.querySelector('a').focus();
  tile.querySelector('a').dispatchEvent(new KeyboardEvent('keydown', {key: '%s', shiftKey: true, bubbles: true}));
  let painted = 0;
  requestAnimationFrame(() => requestAnimationFrame(() => { painted = performance.now() - began; }));
  const look = () => said.querySelector('button') && painted
    ? done([id, painted, performance.now() - began]) : setTimeout(look, 1);
  look();
})"""
SEEN = """new Promise(seen => { const stage = %r;
  const look = () => document.getElementById('deal-%s')?.dataset.stage == stage
    ? seen(Date.now()) : setTimeout(look, 2);
  look(); })"""
STEP = """new Promise(done => {
  const slider = document.querySelector('.slider input[type=range]'), began = performance.now();
  document.addEventListener('htmx:afterSettle', () => done(performance.now() - began), {once: true});
  slider.value = %d; slider.dispatchEvent(new Event('input', {bubbles: true}));
})"""


class Bench:
    """One run: a stack that is filled, and a browser."""

    def __init__(self, stack: StackState, demo: Demo, say: Say) -> None:
        self.stack, self.demo, self.say = stack, demo, say
        self.http = httpx.Client(trust_env=False, timeout=TIMEOUT, headers={"authorization": f"Bearer {demo.token}"})
        self.address = stack.graphql_url.removesuffix("/graphql")

    def fill(self, deals: int, events: int) -> None:
        """Streams in deals, and one person with many messages."""
        self.send(
            {
                "type": "DealReported",
                "key": f"b{n}",
                "title": f"Deal {n}",
                "stage": "new",
                "amount_minor": n,
                "currency": "UAH",
            }
            for n in range(deals)
        )
        self.send(
            {"type": "MessageReported", "channel": "bench", "chat": "1", "chat_kind": "private", "message": str(n),
             "sender": "bench", "sender_name": "Who Writes", "text": f"Message {n}"}
            for n in range(events)
        )  # fmt: skip
        self.say("waiting until all of it is shown")
        while self.count() < deals or self.messages() < events:
            time.sleep(1)

    def send(self, facts: Iterator[dict[str, Any]]) -> None:
        lines: list[str] = []
        for fact in facts:
            lines.append(json.dumps(fact))
            if len(lines) == CHUNK:
                self.post(lines)
        self.post(lines)

    def post(self, lines: list[str]) -> None:
        if lines:
            kind = {"content-type": "application/x-ndjson"}
            self.http.post(f"{self.stack.intake_url}/facts", content="\n".join(lines), headers=kind).raise_for_status()
        lines.clear()

    def ask(self, query: str) -> Any:
        return self.http.post(self.stack.graphql_url, json={"query": query}).json()["data"]

    def count(self) -> int:
        return sum(one["count"] for one in self.ask("{ dealTotals(by: [STAGE]) { count } }")["dealTotals"])

    def messages(self) -> int:
        hits = self.ask(WRITER)["search"]["hits"]
        counts = [talk["messageCount"] for hit in hits for talk in hit["node"]["conversations"]["nodes"]]
        return max(counts, default=0)

    def contact(self) -> str:
        return str(self.ask(WRITER)["search"]["hits"][0]["node"]["id"])


def run(stack: StackState, demo: Demo, deals: int, events: int, say: Say) -> dict[str, Any]:
    if not CHROMIUM:
        raise ValueError("There is no browser to measure in. Install Chromium (Debian: apt install chromium).")
    bench = Bench(stack, demo, say)
    say(f"streaming in {deals} deals and {events} messages")
    bench.fill(deals, events)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with chromium(folder / "mine") as first, chromium(folder / "other") as second:
            mine, other = (ConsolePage(page, bench.address, folder) for page in (first, second))
            for one in (mine, other):
                one.sign_in(demo.token)
            found = board(mine) | moves(mine, other) | card(mine, bench) | rings(mine, bench)
    settings = {"deals": deals, "messages_of_one": events, "moves": MOVES}
    met = all(found[name] <= goal for name, goal in GOALS.items())
    return {
        "benchmark": "console",
        "machine": machine(),
        "settings": settings,
        **found,
        "goals": GOALS,
        "goals_met": met,
    }


def board(mine: ConsolePage) -> dict[str, Any]:
    mine.page.call("Network.setCacheDisabled", cacheDisabled=True)
    mine.open("board", "document.querySelector('.tile')")
    mine.wait_for(PAINT)
    sent = [one["encodedDataLength"] for one in mine.page.parameters_of("Network.loadingFinished")]
    scripts = {
        one["requestId"] for one in mine.page.parameters_of("Network.responseReceived") if one["type"] == "Script"
    }
    bytes_ = sum(
        one["encodedDataLength"]
        for one in mine.page.parameters_of("Network.loadingFinished")
        if one["requestId"] in scripts
    )
    return {
        "board_first_paint_ms": round(mine.evaluate(PAINT)),
        "board_nodes": mine.evaluate("document.querySelectorAll('*').length"),
        "board_sent_kb": round(sum(sent) / 1_000, 1),
        "javascript_compressed_kb": round(bytes_ / 1_000, 1),
    }


def moves(mine: ConsolePage, other: ConsolePage) -> dict[str, Any]:
    painted, confirmed, seen = [], [], []
    for n in range(MOVES):
        there, key = (("new", "ArrowRight"), ("in_progress", "ArrowLeft"))[n % 2]
        began = mine.evaluate("Date.now()")
        id, paint, confirm = mine.evaluate(MOVE % (there, key))
        seen.append(other.evaluate(SEEN % ("in_progress" if n % 2 == 0 else "new", id)) - began)
        painted.append(paint)
        confirmed.append(confirm)
    return {
        "move_painted_p95_ms": p(95, painted),
        "move_confirmed_p95_ms": p(95, confirmed),
        "move_seen_elsewhere_p95_ms": p(95, seen),
    }


def card(mine: ConsolePage, bench: Bench) -> dict[str, Any]:
    path = f"contacts/{bench.contact()}"
    shown = []
    for _ in range(5):
        mine.open(path, f"document.querySelectorAll('.timeline time').length > 1 && {PAINT}")
        shown.append(mine.evaluate("performance.getEntriesByType('resource').at(-1).responseEnd"))
    steps = [mine.evaluate(STEP % (n % 90)) for n in range(20)]
    return {"card_shown_ms": round(sorted(shown)[2]), "slider_step_p95_ms": p(95, steps)}


def rings(mine: ConsolePage, bench: Bench) -> dict[str, Any]:
    mine.open("tasks")
    took = []
    for n in range(30):
        headers, body = rehearse.binotel_call("receivedTheCall", 700_000 + n, f"06730{n:05d}")
        began = mine.evaluate("document.querySelector('#ringing').replaceChildren(); Date.now()")
        bench.http.post(
            f"{bench.stack.intake_url}/in/{bench.demo.connections['binotel']}", content=body, headers=headers
        )
        mine.wait_for("document.querySelector('#ringing article')")
        took.append(mine.evaluate("Date.now()") - began)
    return {"ring_on_screen_p50_ms": p(50, took), "ring_on_screen_p99_ms": p(99, took)}


def p(percent: int, values: list[float]) -> float:
    return round(quantiles(values, n=100, method="inclusive")[percent - 1], 1)
