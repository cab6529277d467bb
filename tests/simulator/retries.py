"""How each vendor repeats a delivery that failed, by its documents or source code. Times are on a clock that jumps."""

import json
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Manner(NamedTuple):
    """`waits`: seconds before each further attempt; none: the vendor does not repeat, or does not say that it does.

    `expects`: what the JSON of a good answer says, besides a status of 200 to 299. `ordered`: nothing overtakes a
    delivery that failed. `off`: how many deliveries in a row are given up before the vendor switches the webhook off.
    """

    waits: tuple[int, ...] = ()
    expects: tuple[str, str] | None = None
    ordered: bool = False
    off: int = 0

    def accepts(self, status: int, body: bytes) -> bool:
        if not 200 <= status < 300:
            return False
        if self.expects is None:
            return True
        try:
            return bool(json.loads(body)[self.expects[0]] == self.expects[1])
        except (ValueError, KeyError, TypeError):
            return False


ONCE = Manner()
META = Manner((MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR))  # some 36 hours, less and less often
RETRIES = {
    "binotel": Manner((10 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, 10 * HOUR), ("status", "success")),
    "facebook-leads": META,
    "fondy": Manner((2, 60, 300, 600, 3_600, 86_400)),
    "instagram": META,
    "jivo": Manner((), ("result", "ok")),
    "messenger": META,
    "monobank": Manner((60, 600)),
    "monobank-personal": Manner((60, 600), off=1),
    "paypal": Manner((HOUR,) * 24),  # 25 attempts in 3 days
    "shopify": Manner((30 * MINUTE,) * 8, off=1),
    "stripe": Manner((HOUR, 3 * HOUR, 9 * HOUR, DAY, DAY), off=3),
    "telegram": Manner((0, 1, 2, 4, 8, 16, 32, 64, *([120] * 12)), ordered=True),
    "tilda": Manner((MINUTE, MINUTE)),
    "twilio": Manner((1, 1, 1)),  # with #rc=3 in the URL
    "typeform": Manner((2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, HOUR)),
    "viber": Manner((MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)),
    "vonage": Manner((1, 1)),
    "woocommerce": Manner(off=5),
    "wayforpay": Manner((5 * MINUTE, HOUR, DAY, DAY, DAY), ("status", "accept")),
    "whatsapp": META,
}


def manner_of(vendor: str) -> Manner:
    return RETRIES.get(vendor, ONCE)
