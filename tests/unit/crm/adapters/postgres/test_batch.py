"""A batch of decisions goes with its last use: hundreds a minute would else wait for the next collection."""

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from crm.adapters.postgres.state import Batch
from crm.state import Contact
from tests.support.scenarios import SHOP


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_a_batch_is_in_no_circle_with_its_states(no_collection: None) -> None:
    batch = Batch()
    batch.of(SHOP).put("card", Contact(SHOP, "Olena"))
    assert batch.of(SHOP).get(Contact, "card") == Contact(SHOP, "Olena"), "each state sees what another one put"
    gone = ref(batch)
    del batch
    assert gone() is None
