"""What speaks for and against each deal that a payment could be for, by weight. `judge` says which one it is for.

Strong evidence is never outweighed by any amount of weak evidence, and evidence that disagrees decides nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from crm.state import Deal


class Kind(StrEnum):
    """A piece of evidence that a payment is for a deal."""

    NUMBER = "number"  # the deal's own number: D-7, угода 7
    REFERENCE = "reference"  # the gateway's reference is the deal's
    QUOTED = "quoted"  # the deal's reference stands whole in the purpose: WC-10045
    ORDER = "order"  # a number of an order or a bill that is the deal's number or reference: замовлення №7
    PAYER = "payer"  # the payer is known as the deal's contact, by something of their own
    SUM = "sum"  # exactly this sum is outstanding
    NAME = "name"  # the payer is called like the deal's contact


class Weight(IntEnum):
    """What a piece of evidence is worth."""

    WEAK = 0  # it decides nothing, but other evidence may not contradict it
    SUPPORT = 1  # it supports a reading
    READING = 2  # one reading among several: it counts when something supports it and nothing contradicts
    CERTAIN = 3  # it counts alone


WEIGHTS = {
    Kind.NUMBER: Weight.CERTAIN,
    Kind.REFERENCE: Weight.CERTAIN,
    Kind.QUOTED: Weight.CERTAIN,
    Kind.ORDER: Weight.READING,
    Kind.PAYER: Weight.READING,
    Kind.SUM: Weight.SUPPORT,
    Kind.NAME: Weight.WEAK,
}
CERTAIN = frozenset(kind for kind, weight in WEIGHTS.items() if weight is Weight.CERTAIN)


@dataclass(slots=True)
class Candidate:
    """A deal with the evidence for it, each with a sentence, and with what speaks against it."""

    deal: Deal
    speaks: dict[Kind, str] = field(default_factory=dict)
    against: list[str] = field(default_factory=list)
    other_currency: bool = False  # money is never converted
    listed: bool = False  # the words name its number together with others': "рахунки 7 і 8"

    @property
    def certain(self) -> bool:
        return not CERTAIN.isdisjoint(self.speaks)

    @property
    def strong(self) -> frozenset[Kind]:
        """Its evidence without what is weak."""
        return frozenset(self.speaks) - {Kind.NAME}

    @property
    def supported(self) -> bool:
        """A reading with something that supports it. A deal that is closed must wait for exactly this sum, and for one
        that was lost nobody waits to be paid: there the payer must be known too."""
        if self.other_currency or (not self.deal.open and Kind.SUM not in self.speaks):
            return False
        if Kind.ORDER in self.speaks:
            supports = {Kind.PAYER} if self.deal.stage == "lost" else {Kind.SUM, Kind.PAYER, Kind.NAME}
            return not supports.isdisjoint(self.speaks)
        return Kind.PAYER in self.speaks and Kind.SUM in self.speaks


def judge(candidates: Sequence[Candidate], only_reference: bool = False) -> Candidate | None:
    """The deal that the evidence is for; None where it is not certain.

    `only_reference`: the payment looks like no customer's, so only what a gateway tells counts.
    """
    certain = [one for one in candidates if one.certain]
    if only_reference:
        certain = [one for one in certain if Kind.REFERENCE in one.speaks]
        chosen = certain[0] if len(certain) == 1 else None
    elif certain:
        chosen = among_certain(certain)
    else:
        chosen = strongest([one for one in candidates if one.supported])
        if chosen and any(contradicts(one, chosen) for one in candidates if one is not chosen):
            return None
    return None if chosen is None or chosen.other_currency else chosen


def among_certain(certain: Sequence[Candidate]) -> Candidate | None:
    """Where one reference is several deals', sum and payer say which. Where the gateway's reference is one deal's and
    the words name another, the reference counts if exactly this sum is outstanding there, and only there."""
    if len(certain) == 1:
        return certain[0]
    referred = [one for one in certain if Kind.REFERENCE in one.speaks]
    if len(referred) == len(certain):
        return strongest(certain)
    exact = [one for one in certain if Kind.SUM in one.speaks]
    return exact[0] if len(exact) == len(referred) == 1 and exact[0] is referred[0] else None


def strongest(candidates: Sequence[Candidate]) -> Candidate | None:
    """The one that has all evidence that any other has, and more."""
    best = max(candidates, key=lambda one: len(one.strong), default=None)
    if best is None or any(not one.strong < best.strong for one in candidates if one is not best):
        return None
    return best


def contradicts(other: Candidate, chosen: Candidate) -> bool:
    """The words name another deal, which is open or waits for exactly this sum: also, as one that is paid together with
    the chosen one, or its contact is called like the payer and the chosen deal's is not."""
    if Kind.ORDER not in other.speaks or not (other.deal.open or Kind.SUM in other.speaks):
        return False
    if other.listed and chosen.listed:
        return True
    return Kind.ORDER not in chosen.speaks or (Kind.NAME in other.speaks and Kind.NAME not in chosen.speaks)


def in_sentences(candidates: Iterable[Candidate]) -> list[str]:
    """Each as "D-12 (what speaks for it, but what speaks against it)"."""
    sentences = []
    for one in candidates:
        about = "; ".join(dict.fromkeys(one.speaks.values()))
        if one.against:
            about += f"{', but ' if about else ''}{'; '.join(one.against)}"
        sentences.append(f"D-{one.deal.number} ({about})" if about else f"D-{one.deal.number}")
    return sentences
