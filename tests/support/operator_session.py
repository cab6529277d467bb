"""Stories with commands: given these facts, when an operator sends this command, then these events, or none."""

from typing import Any, Self

import msgspec

from crm.commands import Code, Rejected
from crm.decisions.commands import COMMANDS
from crm.envelope import Event, Fact, named_id
from crm.events import CommandAccepted
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.state import Contact
from tests.support.scenarios import CONNECTION, NOON, SHOP, Story


def command(name: str, key: str, /, **said: Any) -> Any:
    """Makes a command as the API does from an input."""
    id = named_id(CONNECTION, f"command {key}")
    at = Micros(NOON)
    meta = Meta(id, SHOP, id, at, at, "api", id, actor="olha")
    return msgspec.convert({"meta": msgspec.to_builtins(meta), **said}, COMMANDS[name].command)


class OperatorSession(Story):
    """The facts and commands so far."""

    commands_sent = 0

    def do(self, name: str, /, **said: Any) -> Self:
        """Sends a command. `then` checks its events, except CommandAccepted."""
        self.commands_sent += 1
        events = self.decide.carry_out(COMMANDS[name], command(name, str(self.commands_sent), **said))
        assert isinstance(events[0], CommandAccepted)
        self.events = events[1:]
        return self

    def refuses(self, name: str, field: str, code: Code, /, **said: Any) -> str:
        """Checks that the command is rejected and changes nothing. Returns the message."""
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
        """Returns the contact of that name; without a name, the only one."""
        (found,) = [card for card in self.contacts() if name in ("", card.name)]
        return found

    def id_of(self, number: int = 1) -> Id:
        return self.deal(number).deal_id


def operator_session(*facts: Fact | Event) -> OperatorSession:
    """Starts a session with these events, then these facts."""
    story = OperatorSession(*(fact for fact in facts if isinstance(fact, Event)))
    return story.when(*(fact for fact in facts if isinstance(fact, Fact)))
