"""What a vendor told and what cannot be read with certainty: it is said, and never decides for the whole delivery."""

from collections.abc import Callable
from typing import TypeVar

from crm.errors import Malformed

T = TypeVar("T")
MOST = 10  # sentences


class Doubts(list[str]):
    """Sentences for people, each once."""

    def say(self, sentence: str) -> None:
        if sentence not in self and len(self) < MOST:
            self.append(sentence)

    def read(self, reading: Callable[[], T], otherwise: T, about: str) -> T:
        """What is read, or else `otherwise` and a sentence about it."""
        try:
            return reading()
        except Malformed as error:
            self.say(f"{about}: {error}")
            return otherwise
