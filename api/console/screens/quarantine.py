"""What came in and could not be understood: its bytes, what is made of it now, read again or set aside."""

import base64
import hashlib

from starlette.responses import Response

from api.console.questions import Declined, Row
from api.console.view import View, no_such
from crm.envelope import now
from crm.moments import nearest

LINE = 16  # bytes of a hex dump
OUTCOMES = "read", "released", "waiting", "held", "settled"
SHOWN = 100_000  # characters or bytes of a delivery


async def quarantine(view: View) -> Response:
    data = await view.ask("quarantine", after=view.given("after") or None)
    shown = {"page": data["quarantine"], "groups": [{**one, "key": key_of(one)} for one in data["quarantineGroups"]]}
    return view.show("parts/quarantine" if view.part else "quarantine", **shown)


async def quarantined(view: View) -> Response:
    data = await view.ask("quarantined", id=view.id)
    return view.show("quarantined", delivery=no_such(data["quarantinedDelivery"]))


async def raw(view: View) -> Response:
    """Its exact bytes: as text, or as a hex dump; or downloaded."""
    found = no_such((await view.ask("quarantined_raw", id=view.id))["quarantinedRaw"])
    body = base64.b64decode(found["base64"])
    if view.given("download"):
        headers = {"content-disposition": "attachment; filename=delivery.bin", "x-content-type-options": "nosniff"}
        return Response(body, 200, headers, "application/octet-stream")
    shown = found["text"][:SHOWN] if found["text"] is not None else hex_dump(body[:SHOWN])
    return view.show("parts/raw", id=view.id, raw=found, shown=shown, left=max(0, len(body) - SHOWN))


async def reread(view: View) -> Response:
    """What the connector of this release makes of it next to why it is here."""
    return view.show("parts/reread", found=(await view.ask("quarantine_reread", id=view.id))["quarantineReread"])


async def reparse(view: View) -> Response:
    await view.run("reparse_quarantined", quarantineId=view.id)
    return view.done()


async def reparse_many(view: View) -> Response:
    """Reads some of a group again; the page asks for the next ones until none is left. Counts go with the form."""
    given = await view.form()
    key = given.get("group", "")
    since = given.get("since") or nearest(now()).isoformat()
    counts = {name: int(given.get(name) or 0) for name in OUTCOMES}
    if (group := await group_of(view, key, since)) is None:
        raise Declined(view.speaker.words.gettext("Nothing of it waits any more."))
    found = await view.run("reparse_many", connection=group["connection"], reason=group["reason"], since=since)
    counts = {name: count + found[name] for name, count in counts.items()}
    left = (await group_of(view, key, since) or {"count": 0})["count"]
    again = left if found["position"] and not found["held"] else 0  # else the next ones would be the same
    shown = {"key": key, "since": since, "counts": counts, "reasons": found["reasons"]}
    return view.show("parts/reparsed", left=left, again=again, **shown)


async def group_of(view: View, key: str, since: str) -> Row | None:
    """Returns a group as it is now; None when nothing of it is left."""
    groups = (await view.ask("quarantine_groups", since=since))["quarantineGroups"]
    return next((one for one in groups if key_of(one) == key), None)


def key_of(group: Row) -> str:
    """Names a group in a form: a browser changes the line ends and blanks that a reason may have."""
    return hashlib.sha256(f"{group['connection']}\n{group['reason']}".encode()).hexdigest()


async def discard(view: View) -> Response:
    await view.run("discard_quarantined", quarantineId=view.id, reason=(await view.form()).get("reason", ""))
    return view.done()


def hex_dump(body: bytes) -> str:
    """Returns sixteen bytes a line: offset, hex, ASCII."""
    lines = []
    for at in range(0, len(body), LINE):
        row = body[at : at + LINE]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {letters}")
    return "\n".join(lines)
