"""The disks of chaos: slow by an exact delay; full without filling any other disk."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.slow_disk import with_slow_flushes
from tests.chaos.small_disk import SmallDisk
from tests.chaos.unavailable import Unavailable
from tests.support.timeouts import TIMEOUT

FLUSHES = """
import os, subprocess, sys, time
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for flush in (os.fsync, os.fdatasync):
    began = time.monotonic()
    flush(file)
    print(time.monotonic() - began)
if len(sys.argv) == 2:
    sys.stdout.flush()
    subprocess.run([sys.executable, "-c", sys.argv[0] and open(sys.argv[1] + ".py").read(), sys.argv[1], "child"])
"""
NEVER = 600.0  # seconds: a test that waited for it would be stopped


def flushed(folder: Path, seconds: float, switch: Path | None) -> list[float]:
    """Returns the duration of each flush of a process and of its child."""
    (folder / "file.py").write_text(FLUSHES)
    try:
        command = with_slow_flushes([sys.executable, "-c", FLUSHES, str(folder / "file")], seconds, switch)
    except Unavailable as error:
        pytest.skip(str(error))
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode and "may not ask the kernel" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (0, "")
    return [float(line) for line in done.stdout.split()]


def test_each_flush_of_a_command_and_its_children_waits(tmp_path: Path) -> None:
    times = flushed(tmp_path, 0.2, None)
    assert (len(times), [t for t in times if t < 0.2]) == (4, [])


def test_a_switch_that_is_off_delays_nothing(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    assert len(flushed(tmp_path, NEVER, switch)) == 4
    switch.touch()
    assert [t for t in flushed(tmp_path, 0.1, switch) if t < 0.1] == []


def test_the_command_keeps_its_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(with_slow_flushes(["sh", "-c", "exit 3"], NEVER), timeout=TIMEOUT, check=False)
    assert done.returncode == 3


@pytest.mark.parametrize("unprivileged", [False, True], ids=["as we are", "in namespaces"])
def test_a_small_disk_fills_up_and_has_space_again(
    tmp_path: Path, unprivileged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if unprivileged:
        monkeypatch.setattr(SmallDisk, "mount", lambda *_: False)
    try:
        with SmallDisk(tmp_path / "disk", 1 << 20) as disk:
            (disk.folder / "kept").write_bytes(b"x" * 100_000)
            disk.fill()
            assert disk.free() == 0
            with pytest.raises(OSError) as full:
                (disk.folder / "more").write_bytes(b"x" * 100_000)
            assert full.value.errno == errno.ENOSPC
            (tmp_path / "outside").write_bytes(b"x" * 100_000)
            disk.release()
            (disk.folder / "more").write_bytes(b"x" * 100_000)
            assert (disk.folder / "kept").read_bytes() == b"x" * 100_000
    except Unavailable as error:
        pytest.skip(str(error))
    assert list((tmp_path / "disk").iterdir()) == []  # gone, and never on the disk beneath


def test_where_neither_way_is_allowed_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SmallDisk, "mount", lambda *_: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="needs root or the command unshare"), SmallDisk(tmp_path / "disk", 1 << 20):
        pass
