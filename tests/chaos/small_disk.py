"""A folder with limited space that can be filled and released: a tmpfs, so that no real disk fills.

It is filled by taking its free space away, as a tmpfs can be made smaller while it is used; that costs nothing. Root
mounts it in place. Anybody else gets it from a process in namespaces of its own, which the kernel shows to us as
`/proc/PID/root`: https://man7.org/linux/man-pages/man7/user_namespaces.7.html. Both are gone with `with`.
"""

import ctypes
import os
import subprocess
from pathlib import Path
from types import TracebackType

from crm.errors import Broken
from tests.chaos.unavailable import Unavailable

REMOUNT, DETACH = 32, 2  # mount(2), and umount2(2): let go of it even while somebody holds a file open
PAGE = 4096  # bytes
TRIES = 1_000  # to be faster than who writes
HOLD = """
mount -t tmpfs -o "size=$1,mode=755" tmpfs "$2" && echo held || exit 1
while read -r size; do mount -t tmpfs -o "remount,size=$size" tmpfs "$2" && echo resized || echo refused; done"""


class SmallDisk:
    """`with SmallDisk(folder, 200_000_000) as disk`: what is written under `disk.folder` has so many bytes.

    Raises Unavailable where neither way is allowed; then nothing was changed.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.place, self.size = folder.absolute(), size
        self.folder = self.place  # where to write
        self.holder: subprocess.Popen[str] | None = None
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> "SmallDisk":
        self.place.mkdir(parents=True, exist_ok=True)
        if os.geteuid() or not self.mount(f"size={self.size},mode=755"):
            self.hold()
        return self

    def mount(self, options: str, flags: int = 0) -> bool:
        """Mounts as root. Returns whether it was allowed."""
        failed: int = self.libc.mount(b"tmpfs", bytes(self.place), b"tmpfs", flags, options.encode())
        return failed == 0

    def hold(self) -> None:
        """Starts a process that keeps the mount until its standard input closes, which happens however we end."""
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", HOLD, "sh", str(self.size)]
        try:
            self.holder = subprocess.Popen(
                [*command, str(self.place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=-1, text=True
            )
        except OSError as error:
            raise Unavailable(
                f"A small disk needs root or the command unshare: {error}. Nothing was changed."
            ) from None
        if self.read_answer() != "held":
            raise Unavailable(
                f"A small disk needs root or user namespaces: {self.let_go() or 'refused'}. Nothing was changed."
            )
        self.folder = Path(f"/proc/{self.holder.pid}/root{self.place}")

    def read_answer(self) -> str:
        assert self.holder and self.holder.stdout
        return self.holder.stdout.readline().strip()

    def let_go(self) -> str:
        """Ends the holder and returns its error output."""
        assert self.holder
        _, said = self.holder.communicate()
        self.holder = None
        return " ".join(said.split())

    def resize(self, size: int) -> bool:
        """Returns False when more is in use. The size is never 0, which the kernel takes for no limit."""
        size = max(size, PAGE)
        if not self.holder:
            return self.mount(f"size={size}", REMOUNT)
        assert self.holder.stdin
        print(size, file=self.holder.stdin, flush=True)
        return self.read_answer() == "resized"

    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Takes all free space; called again, also what was freed meanwhile.

        Raises Broken when it cannot, for example on an empty disk.
        """
        for _ in range(TRIES):
            if not self.free():
                return
            found = os.statvfs(self.folder)
            self.resize((found.f_blocks - found.f_bfree) * found.f_frsize)  # refused when somebody wrote meanwhile
        raise Broken(f"The disk at {self.folder} could not be filled. It has {self.free()} bytes left.")

    def release(self) -> None:
        """Restores the original size."""
        self.resize(self.size)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.holder:
            self.let_go()
        else:
            self.libc.umount2(bytes(self.place), DETACH)
