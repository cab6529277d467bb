"""What a payment is for: the evidence is gathered and judged, and the answer is put in words."""

from typing import NamedTuple

from crm.decisions.candidates import Candidate, Kind, in_sentences, judge
from crm.decisions.case import State
from crm.decisions.payment_evidence import MOST_NAMED, Evidence, PaymentDetails, people
from crm.decisions.settlement import in_words
from crm.scalars import Id
from crm.state import Deal
from crm.vocabulary import PaymentStatus

MONEY = (PaymentStatus.HELD, PaymentStatus.SETTLED)


class Match(NamedTuple):
    """The deal, how it was found, and that in words; why it is worth a look; whether it teaches whose an account is."""

    deal: Deal
    by: str
    why: str
    suspicious: str = ""
    teaches: bool = True


class Nothing(NamedTuple):
    """Why nothing fits, what would find it, and the deals that it could be for."""

    why: str
    hints: tuple[str, ...] = ()
    candidates: tuple[Id, ...] = ()


def find(state: State, details: PaymentDetails) -> Match | Nothing:
    """Without a deal that is certain: what it could be for, and why nobody can say."""
    evidence = Evidence(state, details)
    evidence.gather()
    chosen = judge(list(evidence.found.values()), only_reference=bool(evidence.words.not_a_customers))
    return matched(evidence, chosen) if chosen else nothing(evidence)


def matched(evidence: Evidence, one: Candidate) -> Match:
    deal, details = one.deal, evidence.details
    by, why = grounds(evidence, one)
    doubts = []
    if details.status in MONEY and deal.amount_minor > 0 and deal.outstanding_minor < details.amount_minor:
        more = details.amount_minor - max(0, deal.outstanding_minor)
        doubts.append(f"it is {in_words(more, details.currency)} more than was outstanding")
    if deal.stage == "lost":
        doubts.append(f"D-{deal.number} was lost")
    payer = evidence.paid_by()
    if payer.cards and not payer.doubt and Kind.PAYER not in one.speaks:
        doubts.append(f"its payer is known as {people(payer.cards)}")
    if others := [other for other in evidence.found.values() if other is not one and other.certain]:
        doubts.append(f"it could also be for {' or '.join(in_sentences(others))}")
    elif evidence.words.deals and Kind.NUMBER not in one.speaks:
        doubts.append(
            f"it names {' and '.join(f'D-{number}' for number in evidence.words.deals)}, which it cannot be for"
        )
    certain = one.certain or Kind.PAYER in one.speaks or Kind.NAME in one.speaks
    return Match(deal, by, why, "; ".join(doubts), certain)


def grounds(evidence: Evidence, one: Candidate) -> tuple[str, str]:
    """How its deal was found, and that in words."""
    number, speaks = one.deal.number, one.speaks
    if Kind.NUMBER in speaks:
        return "number", speaks[Kind.NUMBER]
    if Kind.REFERENCE in speaks:
        return "reference", f"{speaks[Kind.REFERENCE]}, of D-{number}"
    if Kind.ORDER in speaks or Kind.QUOTED in speaks:
        reference = "reference" in (speaks.get(Kind.QUOTED) or speaks[Kind.ORDER])
        about = "; ".join(text for kind, text in speaks.items() if kind is not Kind.NAME)
        return "reference" if reference else "number", f"D-{number}: {about}"
    return "payer", f"D-{number} is the payer's one deal that waits for {evidence.sum()}"


def nothing(evidence: Evidence) -> Nothing:
    reasons = [*dict.fromkeys(evidence.missing)]
    if kind := evidence.words.not_a_customers:
        reasons.append(f"it looks like no customer's payment: {kind!r}")
    reasons += [f"{text} is the number of something else" for text in evidence.words.others]
    reasons.append(about_payer(evidence))
    evidence.add_related()
    why = "; ".join(filter(None, reasons))
    every = [*evidence.found.values()]
    if every:
        shown = in_sentences(every[:MOST_NAMED])
        more = [f"{len(every) - MOST_NAMED} others"] if len(every) > MOST_NAMED else []
        why = f"It could be for {' or '.join([*shown, *more])}. Say which with paymentMatch: {why}"
    hints = (*evidence.hints, *(f"payer:{identifier.key}" for identifier in evidence.identifiers))
    candidates = tuple(one.deal.deal_id for one in every[:MOST_NAMED])
    return Nothing(why.removesuffix(": "), tuple(dict.fromkeys(hints)), candidates)


def about_payer(evidence: Evidence) -> str:
    payer = evidence.paid_by()
    if not evidence.identifiers:
        return "it names no payer that can be recognised"
    if payer.doubt:
        return payer.doubt
    if not payer.cards:
        return "its payer is not known"
    if evidence.details.status != PaymentStatus.SETTLED:
        return f"its payer's deal is looked for when it is settled, and it is {evidence.details.status}"
    exact = [one for one in evidence.found.values() if {Kind.PAYER, Kind.SUM} <= one.speaks.keys()]
    how_many = "several deals that wait" if len(exact) > 1 else "no deal that waits"
    return "" if len(exact) == 1 else f"its payer has {how_many} for exactly {evidence.sum()}"
