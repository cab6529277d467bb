"""`python -m tests.simulator [FAULT ...]`: every vendor through every fault on a stack of its own, as a table."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.simulator.runs import FAULTS, Run, problems, read_decided, run_all
from tests.support.running_stack import RunningStack
from tests.support.terminal import Terminal


def table(runs: Sequence[Run]) -> Iterator[str]:
    """Yields the lines of the table: of each vendor and fault, how many deliveries were kept in how many attempts."""
    faults = list(dict.fromkeys(run.fault for run in runs))
    yield f"| vendor | {' | '.join(faults)} | facts | decided once |"
    yield "|---" * (len(faults) + 3) + "|"
    for vendor in dict.fromkeys(run.vendor for run in runs):
        own = [run for run in runs if run.vendor == vendor]
        facts, decided = sum(len(run.facts) for run in own), sum(run.decided - run.repeated for run in own)
        yield f"| {vendor} | {' | '.join(run.outcome for run in own)} | {facts} | {decided} |"


def main(faults: tuple[str, ...]) -> int:
    """Prints the table. Returns 1 when anything that was kept was not decided exactly once."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(Path(folder))
        stack = RunningStack(terminal, terminal.start_stack())
        try:
            running = stack.running()
            runs = asyncio.run(run_all(running.kafka_bootstrap, running.database_url, faults))
            stack.settle()
            read_decided(running.database_url, runs)
        finally:
            stack.http.close()
            terminal.run("down")
    print("\n".join(table(runs)))
    wrong = problems(runs)
    print("\n".join(wrong), file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or FAULTS))
