#!/usr/bin/env bash
# Avro written to standard output by a program with PYTHONUNBUFFERED=1, as images of containers set it, that is stopped once and
# goes on: Ctrl-Z and fg, a debugger that attaches, a suspended job.
#
# Most people expect: PYTHONUNBUFFERED only makes log lines come at once, and `fastavro.writer(sys.stdout.buffer, …)` writes all
#   or raises.
# What happens: with it `sys.stdout.buffer` is no buffer, but the file itself, whose write() may write a part and only say how
#   much. A pipe that is full takes a part of a block; when the program goes on, fastavro goes on with the next one. The program
#   ends with 0, the file lacks bytes in its middle, and a reader finds the damage, or records that nobody wrote. Without the
#   variable all records come.
# Why it matters: an export piped into a file or another program is short, and nothing failed. A program that frames its messages itself
#   (lengths before messages) has the same fault; a BufferedWriter around the file has not.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check fastavro==1.13.1
"$dir/venv/bin/python" - <<'PY'
import fcntl
import io
import os
import signal
import subprocess
import sys
import termios
import time

import fastavro

RECORDS = 20_000
WRITE = f"""
import sys, fastavro
field = {{"name": "note", "type": "string"}}
schema = {{"type": "record", "name": "Card", "fields": [field]}}
fastavro.writer(sys.stdout.buffer, schema, ({{"note": "x" * 40}} for _ in range({RECORDS})), sync_interval=200_000)
sys.stdout.flush()
"""


def waits(pipe):
    """Returns how many bytes of the pipe are not read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def piped(unbuffered):
    """Returns the exit code, the bytes, and how many records a reader finds."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen([sys.executable, "-c", WRITE], stdout=subprocess.PIPE, env=environment) as program:
        before, now = -1, 0
        while before != now or not now:  # until it waits for its reader
            time.sleep(0.5)
            before, now = now, waits(program.stdout)
        program.send_signal(signal.SIGSTOP)
        os.waitpid(program.pid, os.WUNTRACED)
        program.send_signal(signal.SIGCONT)
        content = program.stdout.read()
    found = 0
    try:
        for record in fastavro.reader(io.BytesIO(content)):
            found += record == {"note": "x" * 40}
        wrong = "no damage"
    except Exception as error:
        wrong = type(error).__name__
    return program.returncode, len(content), found, wrong


print(f"fastavro {fastavro.__version__}, Python {sys.version.split()[0]}")
whole, unbuffered = piped(""), piped("1")
for name, (code, size, found, wrong) in (("buffered", whole), ("PYTHONUNBUFFERED=1", unbuffered)):
    print(f"  {name}: exit code {code}, {size:,} bytes, {found:,} of {RECORDS:,} records as they were written, {wrong}")
same = whole[0] == 0 and whole[2:] == (RECORDS, "no damage")
lost = unbuffered[0] == 0 and unbuffered[1] < whole[1] and unbuffered[2] < RECORDS
sys.exit(0 if same and lost else "the behaviour has changed")
PY
