"""One stack for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.support.running_stack import Stack
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import Person


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`crm up`, once, with every real role."""
    if IN_CONTAINERS:
        pytest.skip("is about the embedded servers")
    person = Person(tmp_path_factory.mktemp("e2e"))
    stack = Stack(person, person.starts())
    try:
        yield stack
    finally:
        stack.http.close()
        person.types("down")
