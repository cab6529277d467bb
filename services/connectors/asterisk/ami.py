"""Events of the manager interface, AMI: what they say of a call while it lasts (https://docs.asterisk.org, AMI)."""

import re

from crm.connector import Report, digest
from crm.scalars import Micros
from services.connectors.asterisk.records import ENDPOINT, FROM_INSIDE
from services.connectors.call_sides import EXTENSION, OwnNumbers, Sides, sides_of
from services.connectors.calls import call_report
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import first, text

DIALS = {"dialbegin": "ringing", "dialend": "answered"}
STATES = {"ringing": "ringing", "up": "answered"}  # of a channel that joins a call
CLOCK = re.compile(r"(\d{1,11})\.(\d{6})", re.ASCII)  # timestampevents=yes of manager.conf


def live_report(event: Tree, own: OwnNumbers, country: str, received_at: Micros) -> Report | None:
    """Returns how far a call is; None for an event that does not say it. Its names are in lower case."""
    if not (phase := phase_of(event)):
        return None
    channel, id = text(event, "uniqueid"), first(event, "linkedid", "uniqueid")
    clock = CLOCK.fullmatch(said := text(event, "timestamp"))
    at = Micros(int(clock[1] + clock[2])) if clock else iso_or_none(said) or received_at
    key = f"{channel}/{text(event, 'event')}/{digest(canonical(event))}"
    return call_report(id, key, Micros(min(at, received_at)), phase=phase, **sides_in(event, own, country)._asdict())


def phase_of(event: Tree) -> str:
    """Returns empty text when the event says nothing of the call. Its first channel is up as soon as the exchange
    itself answers: somebody talks when another one is, or when two are in a bridge."""
    kind, state, bridged = text(event, "event"), text(event, "channelstatedesc"), text(event, "bridgenumchannels")
    channel, id = text(event, "uniqueid"), text(event, "linkedid")
    if kind in ("newchannel", "newstate") and channel:
        joined = id not in ("", channel)
        return STATES.get(state.lower(), "") if joined else "ringing" * (state.lower() == "ring")
    if kind in DIALS and channel:
        return DIALS[kind] if kind == "dialbegin" or text(event, "dialstatus").upper() == "ANSWER" else ""
    if kind == "bridgeenter" and id and text(event, "bridgetype").lower() != "holding" and bridged not in ("0", "1"):
        return "answered"
    return "hung_up" if kind == "hangup" and channel == id != "" else ""


def sides_in(event: Tree, own: OwnNumbers, country: str) -> Sides:
    """Returns who takes part. Who calls whom is known of the first channel and of what is dialled, who answers of any
    that has an extension."""
    kind, caller, called = (text(event, name) for name in ("event", "calleridnum", "exten"))
    joins = text(event, "linkedid") not in ("", text(event, "uniqueid"))
    if kind in DIALS and not any(map(str.isdecimal, called)):  # `s` of a macro
        called = text(event, "destcalleridnum")
    if not (kind in DIALS or (kind in ("newchannel", "newstate") and not joins)) or not called:
        return Sides(employee=caller if kind != "hangup" and EXTENSION.fullmatch(caller) else "", internal=True)
    said = "out" if FROM_INSIDE.search(text(event, "context")) else "in"
    sides = sides_of(caller, called, own, country, said, joins=joins)
    if kind not in DIALS:
        return sides
    rung = ENDPOINT.fullmatch(text(event, "destchannel"))
    return sides._replace(line="", employee=rung[1] if rung and sides.direction != "out" else sides.employee)
