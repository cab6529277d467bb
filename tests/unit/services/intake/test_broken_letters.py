"""A line of POST /facts whose letters are broken is refused by itself."""

import pytest

from services.intake.fact_lines import parse_line
from services.intake.refusals import Refusal
from services.intake.values import LineContext
from tests.support.scenarios import CONNECTION, NOON, SHOP


def test_a_custom_field_that_is_no_utf_8_is_refused_with_its_name() -> None:
    """It ended the whole request with a server error: a value of `fields` is not decoded with the line."""
    line = b'{"type": "FormSubmitted", "fields": {"note": "\xff"}}'
    with pytest.raises(Refusal, match="not UTF-8") as refused:
        parse_line(line, lambda: CONNECTION, LineContext(CONNECTION, SHOP, NOON))
    assert refused.value.field == "fields.note"
