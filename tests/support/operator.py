"""Stories in which people give commands: given these facts, when somebody asks for this, then these events, or none."""

from typing import Any, Self

import msgspec

from crm.commands import Code, Rejected
from crm.decisions.commands import COMMANDS
from crm.envelope import Event, Fact, named_id
from crm.events import CommandAccepted
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.state import Contact, Deal
from tests.support.scenarios import CONNECTION, NOON, SHOP, Story


def command(name: str, key: str, /, **said: Any) -> Any:
    """As the API makes it of an input."""
    id = named_id(CONNECTION, f"command {key}")
    at = Micros(NOON)
    meta = Meta(id, SHOP, id, at, at, "api", id, actor="olha")
    return msgspec.convert({"meta": msgspec.to_builtins(meta), **said}, COMMANDS[name].command)


class AtTheDesk(Story):
    """What was taken so far, and what people asked for."""

    asked = 0

    def do(self, name: str, /, **said: Any) -> Self:
        """`then` is about what it led to, apart from that it was accepted."""
        self.asked += 1
        events = self.decide.carry_out(COMMANDS[name], command(name, str(self.asked), **said))
        assert isinstance(events[0], CommandAccepted)
        self.events = events[1:]
        return self

    def refuses(self, name: str, field: str, code: Code, /, **said: Any) -> str:
        """Nothing happens. Gives the sentence."""
        before, journal = dict(self.state.things), list(self.decide.journal)
        try:
            self.do(name, **said)
        except Rejected as refusal:
            assert (refusal.field, refusal.code) == (field, code), refusal.message
            assert self.state.things == before
            assert self.decide.journal == journal
            return refusal.message
        raise AssertionError(f"{name} was not refused: {self.events}")

    def contact(self, name: str = "") -> Contact:
        """The card of that name; the only one that stands when no name is given."""
        (found,) = [card for card in self.contacts() if name in ("", card.name)]
        return found

    def id_of(self, number: int = 1) -> Id:
        return self.deal(number).deal_id


def at_the_desk(*facts: Fact | Event) -> AtTheDesk:
    """Events first, then facts."""
    story = AtTheDesk(*(fact for fact in facts if isinstance(fact, Event)))
    return story.when(*(fact for fact in facts if isinstance(fact, Fact)))


__all__ = ["AtTheDesk", "Code", "Deal", "at_the_desk", "command"]
