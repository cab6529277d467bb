"""How the installation does: roles with lag and rate by partition, read models being rebuilt, the archive."""

from typing import NamedTuple

from starlette.responses import Response

from api.console.questions import Row
from api.console.view import View, no_such

ROLES = "intake", "decide", "relay", "project", "outbound"  # as data passes them


class Role(NamedTuple):
    """A role on the map. Of several consumers the one that is furthest behind counts."""

    name: str
    lag: int
    rate: float | None
    state: str  # keeps up, behind, halted, missing

    @property
    def seconds(self) -> float | None:
        """How long it takes to catch up at this rate, if nothing more came; None where that is not known."""
        return self.lag / self.rate if self.lag and self.rate else None


async def operations(view: View) -> Response:
    data = await view.ask("operations")
    consumers = data["processing"]["consumers"]
    roles = [role(name, consumers, data["processing"]["relayLeads"]) for name in ROLES]
    models = sorted((one for one in consumers if one["role"] == "project"), key=lambda one: (-one["lag"], one["name"]))
    shown = {
        "roles": roles,
        "models": models,
        "pending": data["pendingReadModels"],
        "processes": data["processes"],
        "archive": data["archiveState"],
    }
    return view.show("parts/flow" if view.part else "operations", **shown)


async def rebuilds(view: View) -> Response:
    """The last rebuilds, with the rows that differed."""
    return view.show("parts/rebuilds", rebuilds=(await view.ask("rebuilds"))["rebuilds"])


async def consumer(view: View) -> Response:
    """One role, or one read model of the role project, partition by partition."""
    consumers = (await view.ask("partitions"))["processing"]["consumers"]
    name = view.request.path_params["name"]
    found = no_such(next((one for one in consumers if one["name"] == name), None))
    return view.show("parts/partitions" if view.part else "consumer", consumer=found)


def role(name: str, consumers: list[Row], leads: bool) -> Role:
    """`leads`: whether a relay is at work; without one nothing is carried to Kafka."""
    own = [one for one in consumers if one["role"] == name]
    if not own:
        return Role(name, 0, None, "missing")
    last = max(own, key=lambda one: one["lag"])
    halted = any(one["halted"] for one in own) or (name == "relay" and not leads)
    return Role(name, last["lag"], last["rate"], "halted" if halted else "behind" if last["lag"] else "keeps up")
