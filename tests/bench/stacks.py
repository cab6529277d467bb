"""`crm bench stack --against COMMIT`: whole stacks of two revisions in turns, each with packages of its own.

Both are measured from outside, by their own `crm bench`, and by the same statements on their Postgres.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psutil
import psycopg
import typer
from msgspec.json import decode

from services.cli import output as show
from services.cli.options import Json
from tests.bench.against import Figures, alternated, built
from tests.bench.progress import progress_printer

# Facts decided; events of the journal; events that the slowest consumer has folded.
PROGRESS = """
SELECT (SELECT coalesce(sum(next_offset), 0) FROM core.checkpoint WHERE consumer = 'decide')::bigint,
       (SELECT sum(next) FROM core.journal_head)::bigint,
       (SELECT coalesce(min(done), 0) FROM (SELECT sum(position + 1) AS done FROM core.checkpoint
          WHERE topic = 'crm.journal' AND failed IS NULL GROUP BY consumer) AS folded)::bigint"""
QUIET = 3.0  # seconds without a decision after which nothing is on its way any more
SETTLED = 5.0  # seconds after the start until the roles are taken for idle
Report = Callable[[str], None]


class Stack:
    """A running stack: its folder of code, its data, and what it says of itself."""

    def __init__(self, place: Path, data: Path) -> None:
        self.place, self.data = place, data
        self.environment = {**os.environ, "CRM_DATA": str(data)}

    def crm(self, *words: str) -> str:
        """Returns what a command prints. Raises ValueError with the end of what it said when it fails."""
        command = [str(self.place / ".venv/bin/crm"), *words]
        done = subprocess.run(command, cwd=self.place, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(f"`crm {' '.join(words)}` failed in {self.place}:\n{(done.stdout + done.stderr)[-2_000:]}")
        return done.stdout

    def bench(self, *words: str) -> Any:
        return decode(self.crm("bench", *words, "--json"))

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = decode((self.data / "stack.json").read_bytes())
        return found

    def memory(self) -> int:
        """Returns what the roles have in memory, MB: all processes but Kafka, Postgres and the supervisor."""
        held = 0
        for part in self.state["parts"]:
            if part["name"] not in ("kafka", "postgres"):
                with suppress(psutil.Error):  # it has just ended
                    role = psutil.Process(part["pid"])
                    held += sum(one.memory_info().rss for one in (role, *role.children(recursive=True)))
        return held >> 20

    @contextmanager
    def peak(self) -> Iterator[list[int]]:
        """Yields a list that ends with the most that the roles had in memory, MB."""
        found, over = [0], threading.Event()

        def watch() -> None:
            while not over.wait(1.0):
                found.append(max(found[-1], self.memory()))

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield found
        finally:
            over.set()
            watching.join()

    def all_folded(self, work: Callable[[], Any]) -> tuple[Any, float]:
        """Does work. Returns its result, and the facts a second from the first decision to the last folded event."""
        found: list[Any] = []
        with psycopg.connect(self.state["database_url"], autocommit=True) as conn:
            before = now = self.progress(conn)
            begun = ended = moved = 0.0
            working = threading.Thread(target=lambda: found.append(work()))
            working.start()
            while working.is_alive() or now[2] < now[1] or time.monotonic() - moved < QUIET:
                time.sleep(0.1)
                last, now = now, self.progress(conn)
                if now != last:
                    moved = ended = time.monotonic()
                    begun = begun or moved
        return found[0], (now[0] - before[0]) / max(0.1, ended - begun)

    def progress(self, conn: psycopg.Connection[Any]) -> tuple[int, int, int]:
        return conn.execute(PROGRESS).fetchone() or (0, 0, 0)


def prepared(place: Path) -> None:
    """Installs what a revision runs on. Raises ValueError with the installer's words when it fails."""
    done = subprocess.run(["bash", "bootstrap.sh", "run"], cwd=place, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"The revision could not be installed, and nothing was measured:\n{done.stderr[-2_000:]}")


def measured(place: Path, rate: int, seconds: int) -> Figures:
    """Measures one run: start, memory, forms as fast as they are taken, forms at 200 a second, facts streamed in."""
    with TemporaryDirectory(prefix="crm-stack-") as data:
        Path(data).chmod(0o755)  # Postgres may have a user of its own
        stack = Stack(place, Path(data))
        stack.crm("up", "--detach")
        stack.crm("down")
        began = time.monotonic()
        stack.crm("up", "--detach")
        started = time.monotonic() - began
        try:
            time.sleep(SETTLED)
            idle = stack.memory()
            with stack.peak() as most:
                posted, forms_per_second = stack.all_folded(lambda: stack.bench("intake", "--seconds", "10"))
                words = ("--rate", str(rate), "--seconds", str(seconds))
                (seen, flow), _ = stack.all_folded(lambda: stack.bench("end-to-end", *words))
        finally:
            stack.crm("down")
    return {
        "stack": {
            "facts streamed in and projected a second": flow["facts_per_s"],
            "forms posted and projected a second": round(forms_per_second),
            "forms accepted a second at full load": posted["posts_per_s"],
            "form accepted at full load p99 ms": posted["p99_ms"],
            "form visible at 200 a second p50 ms": seen["visible_ms"]["p50_ms"],
            "form visible at 200 a second p99 ms": seen["visible_ms"]["p99_ms"],
            "roles idle MB": idle,
            "roles at most MB": most[-1],
            "start s": round(started, 1),
        }
    }


def stack(
    against: Annotated[str, typer.Option(help="A commit to measure in turns with this one.")],
    runs: Annotated[int, typer.Option(min=1, help="Of each of the two.")] = 2,
    rate: Annotated[int, typer.Option(min=1, help="Facts a second, streamed straight to Kafka.")] = 10_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long.")] = 60,
    json: Json = False,
) -> None:
    """Whole stacks of another revision and of this one in turns: facts and forms a second, latency, memory, start."""
    report = progress_printer(json)
    with built(against, ()) as folder:
        report(f"installing {against}")
        prepared(folder)
        found = alternated(against, folder, runs, lambda place: measured(place, rate, seconds), report)
    command = f"crm bench stack --against {against} --runs {runs} --rate {rate} --seconds {seconds}"
    settings = {"facts_a_second_offered": rate, "seconds": seconds, "forms_a_second": 200}
    show.print_json({"command": command, "settings": settings, **found})
