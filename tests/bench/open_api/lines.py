"""Bodies of `POST /facts`, made once and sent in rounds: each round says something new."""

from collections.abc import Callable, Iterator
from itertools import cycle, islice

ROUND = b"~~~"  # stands for the number of a round in a body
FIRST, LAST = 100, 999  # rounds: three digits, so that the body keeps its length
TYPE = {
    "key": "bench_product",
    "label": "Product",
    "plural": "Products",
    "statuses": ["on_sale", "sold_out"],
    "fields": [
        {"key": "price", "type": "number", "indexed": True},
        {"key": "stock", "type": "number"},
        {"key": "seller", "type": "text"},
    ],
}
Line = Callable[[int], str]


def form(n: int) -> str:
    """A new form of a new person in each round."""
    return (
        f'{{"type":"FormSubmitted","id":"form-~~~-{n}","form":"checkout","name":"Покупець {n}",'
        f'"phones":["+38091~~~{n % 10_000:04}"],"fields":{{"product":"Стіл дубовий","quantity":2}},'
        f'"amount":"1250.00","currency":"UAH","reference":"ORDER-~~~-{n}"}}'
    )


def product(n: int) -> str:
    """A product with another price and stock in each round."""
    return (
        f'{{"type":"ObjectReported","id":"product-~~~-{n}","object":"bench_product","key":"SKU-{n}","status":"on_sale",'
        f'"title":"Ваза {n}","version":~~~,"fields":{{"price":"~~~.{n % 100:02}","stock":~~~,"seller":"{n % 50}"}}}}'
    )


def deal(n: int) -> str:
    """A deal with another title, amount and reference in each round."""
    return (
        f'{{"type":"DealReported","id":"deal-~~~-{n}","system":"bench","key":"{n}","contact_key":"{n}",'
        f'"title":"Замовлення {n} ~~~","amount":"~~~.{n % 100:02}","version":~~~,"reference":"SHOP-~~~-{n}"}}'
    )


def contact(n: int) -> str:
    """A person with another name in each round; a deal of `deal` has the same key."""
    return (
        f'{{"type":"ContactReported","id":"contact-~~~-{n}","system":"bench","key":"{n}","name":"Покупець {n} ~~~",'
        f'"phones":["+38092{n:07}"],"version":~~~}}'
    )


LINES: dict[str, Line] = {"form": form, "product": product, "deal": deal, "contact": contact}


def bodies(kind: str, known: int, size: int) -> list[bytes]:
    """Returns the lines 0 to `known` of a kind in bodies of `size` lines."""
    line = LINES[kind]
    return ["\n".join(map(line, range(at, min(known, at + size)))).encode() for at in range(0, known, size)]


class Rounds:
    """The bodies of a kind, again and again, each time under the next of `numbers`, which all rounds of a run share."""

    def __init__(self, numbers: Iterator[int], kind: str, known: int, size: int) -> None:
        self.bodies, self.known, self.numbers = bodies(kind, known, size), known, numbers
        self.sent = self.endless()

    def endless(self) -> Iterator[bytes]:
        """Raises ValueError when the numbers of rounds are used up."""
        for at in cycle(range(len(self.bodies))):
            if not at and (number := next(self.numbers)) > LAST:
                raise ValueError("All rounds were sent. Measure for fewer seconds.")
            yield self.bodies[at].replace(ROUND, b"%d" % number)

    def next(self, lines: int) -> Iterator[bytes]:
        """Yields the next bodies, until at least so many lines are in them."""
        size = self.bodies[0].count(b"\n") + 1
        return islice(self.sent, -(-lines // size))
