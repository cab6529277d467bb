"""Standard output for bytes."""

import sys
from io import BufferedWriter, RawIOBase


def write_out(content: bytes) -> None:
    """Writes all of it at once.

    Where PYTHONUNBUFFERED is set, as in containers, `sys.stdout.buffer` is the file itself: if a process is stopped
    and goes on in the middle of a write, a part is written, and the rest is lost without an error.
    """
    out = sys.stdout.buffer
    if isinstance(out, RawIOBase):
        whole = BufferedWriter(out)
        whole.write(content)
        whole.flush()
        whole.detach()
    else:
        out.write(content)
        out.flush()
