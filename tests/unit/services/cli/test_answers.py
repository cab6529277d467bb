"""What `crm doctor` says of replies."""

from services.cli.doctor.answers import findings
from services.cli.doctor.checks import Finding


def test_replies_that_went_out_are_no_line() -> None:
    assert findings(0) == []


def test_a_doubt_is_said_with_its_remedy() -> None:
    said = (
        "nobody knows whether it was sent. `crm replies list --status uncertain` shows which: look in the channel's "
        "own app, then `crm replies resolve ID sent` or `again`."
    )
    assert findings(1) == [Finding("replies", False, f"Of a reply {said}")]
    assert findings(1_200) == [Finding("replies", False, f"Of 1,200 replies {said}")]
