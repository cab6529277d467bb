"""`python -m tests.chaos.slow_disk SECONDS SWITCH -- COMMAND…` runs a command with slow flushes to disk.

The kernel asks us before each flush of the command and of all its children (seccomp user notification, Linux 5.9:
https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html); we let it go on after the delay. The command keeps the
process id that it was started with: what asks is a process next to it, which ends with the last of them.
"""

import array
import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path

from tests.chaos.unavailable import Unavailable

ALWAYS = "-"  # instead of a switch
# By machine: its audit architecture, the number of seccomp(2), and of
# fsync, fdatasync, sync_file_range, msync, sync and syncfs: Postgres flushes by the first two, a JVM by msync as well.
MACHINES = {
    "x86_64": (0xC000003E, 317, (74, 75, 277, 26, 162, 306)),
    "aarch64": (0xC00000B7, 277, (82, 83, 84, 227, 81, 267)),
}
ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # classic BPF, https://man7.org/linux/man-pages/man2/seccomp.2.html
ALLOW, ASK = 0x7FFF0000, 0x7FC00000
NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
SET_FILTER, NO_NEW_PRIVILEGES = 1, 38
LISTENER, SPECULATION, UNTIL_KILLED = 1 << 3, 1 << 2, 1 << 5
RECEIVE, ANSWER = 0xC0502100, 0xC0182101
QUESTION = struct.Struct("=QII iIQ 6Q")  # id, pid, flags; number, architecture, instruction, arguments
REPLY = struct.Struct("=Qqii")  # id, value, error, flags
GO_ON = 1


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def with_slow_flushes(command: list[str], seconds: float, switch: Path | None = None) -> list[str]:
    """Returns the command with each flush `seconds` slower; with a switch, only while that file exists.

    Raises Unavailable where the kernel cannot ask.
    """
    if platform.machine() not in MACHINES or not ACTIONS.exists() or "user_notif" not in ACTIONS.read_text().split():
        raise Unavailable("A slow disk needs Linux 5.9 or newer on x86_64 or aarch64. Nothing was slowed.")
    given = str(switch.absolute()) if switch else ALWAYS
    return [sys.executable, "-m", "tests.chaos.slow_disk", str(seconds), given, "--", *command]


def install() -> int:
    """Makes each flush of this process and its children wait for an answer on the returned descriptor."""
    architecture, seccomp, flushes = MACHINES[platform.machine()]
    lines = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_IF_EQUAL, 1, 0, architecture), (RETURN, 0, 0, ALLOW)]
    lines += [(LOAD, 0, 0, NUMBER)]
    lines += [(JUMP_IF_EQUAL, len(flushes) - n, 0, number) for n, number in enumerate(flushes)]
    lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ASK)]
    program = Program(len(lines), b"".join(struct.pack("=HBBI", *line) for line in lines))
    libc = ctypes.CDLL(None, use_errno=True)
    # A signal would end the wait, and the flush would be reported as failed: wait until killed (Linux 5.19).
    for flags in (LISTENER | SPECULATION | UNTIL_KILLED, LISTENER | SPECULATION):
        for _ in range(2):
            listener: int = libc.syscall(seccomp, SET_FILTER, flags, ctypes.byref(program))
            if listener >= 0:
                return listener
            if ctypes.get_errno() != errno.EACCES:
                break
            libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)  # who is not root must promise to gain nothing
    raise Unavailable(f"This process may not ask the kernel: {os.strerror(ctypes.get_errno())}. Nothing was started.")


def attend(listener: int, seconds: float, switch: Path | None) -> None:
    """Answers until the last process under the filter has ended."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    waiting: deque[tuple[float, int]] = deque()  # when to let it go on, and its id
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) * 1000 + 1 if waiting else None
        for _, happened in poll.poll(left):
            if happened & select.POLLIN:
                if (id := next_request(listener)) is None:
                    continue
                slow = switch is None or switch.exists()
                waiting.append((time.monotonic() + seconds, id)) if slow else let_continue(listener, id)
            elif happened & select.POLLHUP:
                return
        while waiting and waiting[0][0] <= time.monotonic():
            let_continue(listener, waiting.popleft()[1])


def next_request(listener: int) -> int | None:
    """Returns the id of the next request; None when its process has died meanwhile."""
    question = bytearray(QUESTION.size)
    try:
        fcntl.ioctl(listener, RECEIVE, question)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
    return int(QUESTION.unpack(question)[0])


def let_continue(listener: int, id: int) -> None:
    with contextlib.suppress(FileNotFoundError):  # killed while it waited
        fcntl.ioctl(listener, ANSWER, bytearray(REPLY.pack(id, 0, 0, GO_ON)))


def run_attendant(here: socket.socket, seconds: float, switch: Path | None) -> None:
    """Runs as a daemon: not a child of the command, which may count its children, nor in its terminal."""
    os.setsid()
    if os.fork():
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    _, sent, _, _ = here.recvmsg(1, socket.CMSG_SPACE(4))
    if sent:
        here.send(b"k")
        attend(array.array("i", sent[0][2])[0], seconds, switch)


def main(arguments: list[str]) -> None:
    """Replaces this process by the command. Exits 1 with a sentence when it cannot."""
    seconds, given, _, *command = arguments
    here, there = socket.socketpair()
    attendant = os.fork()
    if not attendant:
        here.close()
        run_attendant(there, float(seconds), None if given == ALWAYS else Path(given))
        os._exit(0)
    os.waitpid(attendant, 0)
    there.close()
    try:
        listener = install()
    except Unavailable as error:
        sys.exit(str(error))
    here.sendmsg([b"l"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
    here.recv(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
