"""Values that cannot be read with certainty: each is reported in a sentence, and the rest of the delivery is read."""

from collections.abc import Callable
from typing import TypeVar

from crm.errors import Malformed
from crm.money import to_minor
from services.connectors.formats.exact_json import Value
from services.connectors.formats.places import text_at

T = TypeVar("T")
MOST_SENTENCES = 10  # sentences


class Doubts(list[str]):
    """Sentences for people, each once."""

    def say(self, sentence: str) -> None:
        if sentence not in self and len(self) < MOST_SENTENCES:
            self.append(sentence)

    def read(self, reading: Callable[[], T], otherwise: T, about: str) -> T:
        """Returns what `reading` gives; when it raises Malformed, `otherwise`, and a sentence is added."""
        try:
            return reading()
        except Malformed as error:
            self.say(f"{about}: {error}")
            return otherwise

    def sum_at(self, tree: Value, places: str, currency: str, about: str, otherwise: int = 0) -> int:
        """Returns a sum of major units in the smallest ones; `otherwise` where there is none or none that is certain.
        `places`: see `text_at`."""
        written = text_at(tree, places)
        return self.read(lambda: to_minor(written, currency), otherwise, about) if written else otherwise
