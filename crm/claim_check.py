"""The claim check: a delivery larger than a record is kept without its files, which are stored by their content.

In the body that is kept, the reference of a file (`sha256:` and 64 hex digits) stands where its content stood, so that
it is read like any other. What is read then names the stand-ins; CLAIMS says which files they stand for.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct, json
from msgspec.structs import replace

from crm.attachments import DIGEST
from crm.delivery import Delivery
from crm.envelope import Fact
from crm.facts import DeliveryQuarantined
from crm.shared import Attachment, Raw

CLAIMS = ":claims"  # kept among a raw record's headers; no HTTP header's name has a colon
SMALLEST = 4_096  # bytes of a file that is worth a reference
MOST_CLAIMS = 1_000  # of one delivery
StandIn = Callable[[bytes], bytes | None]  # of a content, what is to stand in its place; None leaves it
# (body, content type, stand-in) -> the body with stand-ins for contents, each packed as the content was
Repack = Callable[[bytes, str, StandIn], bytes]
Read = Callable[[Delivery], list[Fact]]


class Claim(Struct, frozen=True):
    """A file: the reference that is read in its place, its own reference, and its bytes."""

    reads: str
    ref: str
    size: int


class Claims(Struct, frozen=True, omit_defaults=True):
    """What is not in the body. `stored`: it is where files are stored. `whole`: the reference of the whole body, where
    only its beginning was kept; `why` it could not be read, if so."""

    files: tuple[Claim, ...] = ()
    stored: bool = True
    whole: str = ""
    why: str = ""

    @property
    def sentence(self) -> str:
        where = f"the whole is stored as {self.whole}" if self.stored else "there was no place to store the rest"
        return f"{self.why or 'It is larger than one record.'} Only its beginning is here; {where}."


class CheckedIn(Struct, frozen=True):
    """A delivery as it is kept, its facts, and what is to be stored before they are, by reference."""

    delivery: Delivery
    facts: list[Fact]
    contents: Mapping[str, bytes]


def check_in(repack: Repack, read: Read, delivery: Delivery, limit: int, stored: bool = True) -> CheckedIn:
    """Returns a delivery with stand-ins, that gives the same facts as it gave whole. `limit`: bytes of its body then.

    One that cannot be had so small is cut: its facts are those of the whole, and their raw bytes are its beginning.
    """
    facts = read(delivery)
    files, contents = {file.ref: file for file in files_in(facts)}, dict[str, bytes]()

    def stand_in(content: bytes) -> bytes | None:
        if not (file := files.get(ref_of(content))):
            return None
        contents[file.ref] = content
        is_text = not file.name and file.media_type.startswith(("text/", "message/"))  # which is shown as well
        return None if is_text or len(content) < SMALLEST else file.ref.encode()

    body = repack(delivery.body, delivery.content_type, stand_in)
    if len(body) > limit:
        return cut(read, delivery, facts, contents, limit, stored)
    smaller = replace(delivery, body=body)
    found = read(smaller)
    pairs = zip(files_in(facts), files_in(found), strict=False)
    claims = {new.ref: Claim(new.ref, old.ref, old.size) for old, new in pairs if new.ref != old.ref}
    if claims:
        smaller = with_claims(smaller, Claims(tuple(claims.values()), stored))
        found = read(smaller)
    claimed = {claim.ref for claim in claims.values()}
    if len(claims) > MOST_CLAIMS or not claimed <= contents.keys() or not same(found, facts):
        return cut(read, delivery, facts, contents, limit, stored)
    return CheckedIn(smaller, found, {ref: contents[ref] for ref in claimed})


def cut(
    read: Read, delivery: Delivery, facts: list[Fact], contents: Mapping[str, bytes], limit: int, stored: bool
) -> CheckedIn:
    whole, unread = ref_of(delivery.body), len(facts) == 1 and isinstance(facts[0], DeliveryQuarantined)
    why = getattr(facts[0], "reason", "") if unread else ""
    smaller = with_claims(replace(delivery, body=delivery.body[:limit]), Claims((), stored, whole, why))
    found = read(smaller)  # one, which says that this is only the beginning
    if not unread:
        found = [replace(fact, raw=raw_of(found[0])) for fact in facts]
    return CheckedIn(smaller, found, {**contents, whole: delivery.body})


def claims_of(headers: Mapping[str, str]) -> Claims | None:
    """Returns what is said of files that are not in the body; None for a delivery that is kept as it came."""
    return json.decode(headers[CLAIMS], type=Claims) if CLAIMS in headers else None


def with_claims(delivery: Delivery, claims: Claims) -> Delivery:
    return replace(delivery, headers={**delivery.headers, CLAIMS: json.encode(claims).decode()})


def restored(facts: Iterable[Fact], claims: Claims) -> list[Fact]:
    """Returns the facts with the files that the stand-ins stand for."""
    files = {claim.reads: claim for claim in claims.files}
    return [_restored(fact, files) for fact in facts]


def _restored(fact: Any, files: Mapping[str, Claim]) -> Fact:
    changed: dict[str, Any] = {}
    if given := getattr(fact, "attachments", ()):
        pairs = ((one, files.get(one.ref)) for one in given)
        changed["attachments"] = tuple(replace(one, ref=c.ref, size=c.size) if c else one for one, c in pairs)
    if html := getattr(fact, "html", ""):
        for claim in files.values():
            html = html.replace(claim.reads, claim.ref)
        changed["html"] = html
    found: Fact = replace(fact, **changed)
    return found


def same(some: list[Fact], others: list[Fact]) -> bool:
    """Whether they say the same, whatever raw bytes they come from."""
    return len(some) == len(others) and all(
        type(one) is type(other) and replace(one, raw=raw_of(other)) == other
        for one, other in zip(some, others, strict=True)
    )


def files_in(facts: Iterable[Fact]) -> list[Attachment]:
    """Returns the files that came within a delivery."""
    found = (file for fact in facts for file in getattr(fact, "attachments", ()))
    return [file for file in found if file.ref.startswith(DIGEST)]


def ref_of(content: bytes) -> str:
    return f"{DIGEST}{sha256(content).hexdigest()}"


def raw_of(fact: Any) -> Raw:
    found: Raw = fact.raw
    return found
