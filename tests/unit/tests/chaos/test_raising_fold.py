"""The injected fold raises at its marked event, at no other, and not once it is mended."""

import pytest

from crm.events import DealOpened
from projections import PROJECTIONS
from tests.chaos.raising_fold import Raised, with_raising_fold
from tests.support.scenarios import SHOP, meta


def opened(number: int) -> DealOpened:
    return DealOpened(meta(str(number)), SHOP, SHOP, number, "A table", 0, "UAH", "new", "form")


def test_the_marked_event_raises_until_mended() -> None:
    mended = [False]
    deal = PROJECTIONS["deal"]
    injected = with_raising_fold(deal, lambda: mended[0])
    assert injected.table == deal.table
    assert injected.fold(None, opened(999)) == deal.fold(None, opened(999))
    with pytest.raises(Raised, match="injected at deal 1000"):
        injected.fold(None, opened(1000))
    mended[0] = True
    assert injected.fold(None, opened(1000)) == deal.fold(None, opened(1000))
