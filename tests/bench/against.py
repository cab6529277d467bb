"""A benchmark on another revision next to this one, in turns: other work on the machine slows both down alike."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.tools import ROOT

Figures = dict[str, dict[str, float]]  # of what, by part
HERE = "this one"


@contextmanager
def built(revision: str, files: Sequence[str]) -> Any:
    """Yields a scratch folder with a revision of the repository, and these of its files as they are here, so that both
    are measured alike. Raises ValueError when there is no such revision."""
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True)
    if packed.returncode:
        raise ValueError(f"There is no revision {revision!r}. Nothing was measured. Name a commit, as in `git log`.")
    with TemporaryDirectory(prefix="crm-bench-") as folder:
        Path(folder).chmod(0o755)  # its Postgres may have a user of its own
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        for name in files:
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
        yield Path(folder)


def run(folder: Path, module: str, arguments: Sequence[str]) -> Figures:
    """Runs a benchmark that prints JSON. Raises ValueError with the end of what it said when it fails."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True)
    if done.returncode:
        raise ValueError(f"`{module}` does not run in that revision:\n{done.stderr.decode()[-2_000:]}")
    found: Figures = json.loads(done.stdout)
    return found


def compared(
    revision: str, files: Sequence[str], module: str, arguments: Sequence[str], runs: int, report: Callable[[str], None]
) -> dict[str, Any]:
    """Runs a benchmark on each revision in turns: see `alternated`."""
    with built(revision, files) as folder:
        return alternated(revision, folder, runs, lambda place: run(place, module, arguments), report)


def alternated(
    revision: str, folder: Path, runs: int, measure: Callable[[Path], Figures], report: Callable[[str], None]
) -> dict[str, Any]:
    """Measures `runs` times in the folder of a revision and in this one, A B A B. Returns the median of each part
    before and after with their ratio, and each run."""
    taken: dict[str, list[Figures]] = {revision: [], HERE: []}
    for number in range(runs):
        for name, place in ((revision, folder), (HERE, ROOT)):
            taken[name].append(measure(place))
            report(f"run {number + 1} of {runs}, {name}: {json.dumps(whole(taken[name][-1]))}")
    before, after = taken[revision], taken[HERE]
    return {of: side_by_side([one[of] for one in before], [one[of] for one in after]) for of in after[0]} | {
        "runs": [
            {"run": number + 1, "revision": name, **whole(found)}
            for number in range(runs)
            for name, found in ((revision, before[number]), (HERE, after[number]))
        ]
    }


def side_by_side(before: Sequence[dict[str, float]], after: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Returns the medians by part. The ratio is the median of those of the runs, each with its neighbour."""
    rows = {}
    for part in dict.fromkeys([*before[0], *after[0]]):
        pairs = [(one.get(part, 0.0), other.get(part, 0.0)) for one, other in zip(before, after, strict=True)]
        was, now = (round(median(side), 1) for side in zip(*pairs, strict=True))
        ratios = [other / one for one, other in pairs if one]
        rows[part] = {"before": was, "after": now} | ({"ratio": round(median(ratios), 2)} if ratios else {})
    return rows


def whole(found: Figures) -> dict[str, float]:
    """Returns the sums of one run, without its parts."""
    return {f"{of} {part}": took for of, parts in found.items() for part, took in parts.items() if "," not in part}
