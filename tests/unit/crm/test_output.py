"""What is written comes whole, also from a process that is stopped in the middle, as by Ctrl-Z or a debugger."""

import fcntl
import os
import signal
import subprocess
import sys
import termios

import pytest

from tests.support.running_stack import wait_until

SIZE = 1_000_000  # bytes: more than a pipe takes
FULL = 65_536  # bytes that a pipe takes
OURS = f"from crm.output import write_out; write_out(b'x' * {SIZE})"
PLAIN = f"import sys; sys.stdout.buffer.write(b'x' * {SIZE})"


def comes_of(program: str) -> int:
    """Returns how many bytes come of it, when it is stopped while it waits for its reader, and goes on."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout

        def not_full() -> str | None:
            waiting = fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4))  # type: ignore[arg-type]  # it is there
            return None if int.from_bytes(waiting, sys.byteorder) == FULL else "it writes"

        wait_until(not_full)
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
        return len(process.stdout.read())


@pytest.mark.skipif(sys.platform != "linux", reason="says how much waits in a pipe of Linux")
def test_what_is_written_comes_whole() -> None:
    assert comes_of(OURS) == SIZE
    assert comes_of(PLAIN) == FULL, "else the test shows nothing"
