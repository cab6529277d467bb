"""Events of the REST interface, ARI, by the names that the manager interface has for the same."""

from services.connectors.asterisk.ami import DIALS
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import at, text

KINDS = meanings(
    newchannel="ChannelCreated",
    newstate="ChannelStateChange StasisStart",
    bridgeenter="ChannelEnteredBridge",
    hangup="ChannelDestroyed",
)
UNDER_WAY = ("", "RINGING", "PROGRESS", "PROCEEDING")  # a dial that has not ended
LINKED = "CHANNEL(linkedid)"  # channelvars of ari.conf: an event does not say otherwise which call it is about


def is_event(tree: Tree) -> bool:
    return bool(text(tree, "type")) and any(name in tree for name in ("application", "timestamp", "asterisk_id"))


def as_manager_event(tree: Tree) -> Tree:
    """Returns an event of a kind that says nothing of calls with no more than its kind."""
    kind, status = text(tree, "type"), text(tree, "dialstatus")
    about: Tree = {"timestamp": text(tree, "timestamp"), "dialstatus": status}
    if kind == "Dial":
        dial = [*DIALS][status not in UNDER_WAY]
        peer = {f"dest{name}": value for name, value in channel_of(at(tree, "peer")).items()}
        return {"event": dial, **about, **channel_of(at(tree, "caller")), **peer}
    bridge, inside = at(tree, "bridge"), at(tree, "bridge", "channels")
    about["bridgetype"] = text(bridge, "bridge_type")
    about["bridgenumchannels"] = len(inside) if isinstance(inside, list) else ""
    return {"event": KINDS.get(kind, kind), **about, **channel_of(at(tree, "channel"))}


def channel_of(channel: Value) -> Tree:
    return {
        "uniqueid": text(channel, "id"),
        "linkedid": text(channel, "channelvars", LINKED),
        "channel": text(channel, "name"),
        "channelstatedesc": text(channel, "state"),
        "calleridnum": text(channel, "caller", "number"),
        "context": text(channel, "dialplan", "context"),
        "exten": text(channel, "dialplan", "exten"),
    }
