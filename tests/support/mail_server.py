"""A mail server that speaks as much of IMAP as is asked of it: in memory, or for real sockets."""

import imaplib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any


@dataclass
class MailServer:
    """`folders` are mails by UID, `validity` their UIDVALIDITY. `commands`: what was asked, without passwords."""

    folders: dict[str, dict[int, bytes]] = field(default_factory=lambda: {"INBOX": {}})
    validity: int = 1
    password: str = "key"
    refused: bytes = b"NO [AUTHENTICATIONFAILED] Invalid credentials"
    commands: list[str] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)  # UIDs of which the server gives the header alone
    unreadable: set[int] = field(default_factory=set)  # UIDs of which the server gives nothing
    vanished: set[int] = field(default_factory=set)  # UIDs that are found and then no more
    sizes: dict[int, int] = field(default_factory=dict)  # what it says of a mail's length, if not the truth
    logins: int = 0
    uid_last: bool = False
    hang_up: bool = False  # the connection is ended after the next answer
    idles: bool = False  # offers IDLE to who is logged in
    in_one: list[bytes] = field(default_factory=list)  # what it says in one packet with the answer to IDLE
    waiting: list[socket.socket] = field(default_factory=list)  # where it can say by itself what is new

    def arrive(self, folder: str, uid: int, mail: bytes) -> None:
        """A mail comes in, and who waits by IDLE is notified."""
        self.folders[folder][uid] = mail
        self.say(b"* %d EXISTS\r\n" % len(self.folders[folder]))

    def say(self, line: bytes) -> None:
        for each in self.waiting:
            each.sendall(line)

    def end_waits(self) -> None:
        while self.waiting:
            self.waiting.pop().shutdown(socket.SHUT_RDWR)

    def answer(self, session: dict[str, str], line: bytes) -> Iterator[bytes]:
        """Yields the lines that answer one command of a session."""
        if "idle" in session:
            self.commands.append(line.strip().decode())
            yield session.pop("idle").encode() + (b" OK ended\r\n" if line == b"DONE\r\n" else b" BAD no DONE\r\n")
            return
        tag, _, rest = line.rstrip(b"\r\n").partition(b" ")
        command = rest.decode()
        name = command.split(" ", 1)[0].upper()
        self.commands.append(name if name == "LOGIN" else command)
        outcome = b"OK done"
        if name == "CAPABILITY":
            offers = b" IDLE" if self.idles and "user" in session else b""
            yield b"* CAPABILITY IMAP4rev1" + offers + b"\r\n"
        elif name == "IDLE":
            session["idle"] = tag.decode()
            yield b"+ idling\r\n" + b"".join(self.in_one)
            self.in_one.clear()
            return
        elif name == "LOGIN":
            self.logins += 1
            if not command.endswith(f'"{self.password}"'):
                outcome = self.refused
            else:
                session["user"] = command.split(" ")[1]
        elif name == "EXAMINE":
            folder = command.split(" ", 1)[1].strip('"')
            if folder not in self.folders:
                outcome = b"NO [NONEXISTENT] no such folder"
            else:
                session["folder"] = folder
                mails = self.folders[folder]
                yield b"* %d EXISTS\r\n" % len(mails)
                yield b"* OK [UIDVALIDITY %d] valid\r\n" % self.validity
                yield b"* OK [UIDNEXT %d] next\r\n" % (max(mails, default=0) + 1)
        elif found := re.fullmatch(r"UID SEARCH UID (\d+):(\d+) SINCE (\S+)", command):
            low, high = int(found[1]), int(found[2])
            uids = [str(uid) for uid in self.folders[session["folder"]] if low <= uid <= high]
            yield f"* SEARCH {' '.join(uids)}\r\n".encode()
        elif found := re.fullmatch(r"UID FETCH (\d+) \(UID (\S+)\)", command):
            uid = int(found[1])
            mail = self.folders[session["folder"]].get(uid)
            if mail is None or uid in self.vanished:
                pass
            elif uid in self.unreadable or (uid in self.broken and "[]" in found[2]):
                outcome = b"NO cannot read it"
            else:
                yield self.fetched(uid, mail, found[2])
        else:
            outcome = b"BAD unknown"
        yield tag + b" " + outcome + b"\r\n"

    def fetched(self, uid: int, mail: bytes, part: str) -> bytes:
        if part == "RFC822.SIZE":
            return b"* 1 FETCH (UID %d RFC822.SIZE %d)\r\n" % (uid, self.sizes.get(uid, len(mail)))
        content = mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in part else mail
        section = part.replace(".PEEK", "").encode()
        if first := re.search(r"<0\.(\d+)>$", part):  # RFC 9051, section 7.5.2
            content, section = mail[: int(first[1])], b"BODY[]<0>"
        if self.uid_last:
            return b"* 1 FETCH (%s {%d}\r\n%s UID %d)\r\n" % (section, len(content), content, uid)
        return b"* 1 FETCH (UID %d %s {%d}\r\n%s)\r\n" % (uid, section, len(content), content)


class MemoryClient(imaplib.IMAP4):
    """imaplib over a server in memory. `cut`: the connection was ended by the server."""

    def __init__(self, server: MailServer) -> None:
        self.server, self.session, self.cut = server, dict[str, str](), False
        super().__init__("mail.example")

    def open(self, host: str = "", port: int = 993, timeout: float | None = None) -> None:
        self.waiting = BytesIO(b"* OK ready\r\n")

    def send(self, data: Any) -> None:
        if self.cut:
            raise BrokenPipeError("the connection was ended")
        self.waiting = BytesIO(self.waiting.read() + b"".join(self.server.answer(self.session, bytes(data))))

    def read(self, size: int) -> bytes:
        return self.waiting.read(size)

    def readline(self) -> bytes:
        return self.waiting.readline()

    def shutdown(self) -> None:
        self.cut = True
