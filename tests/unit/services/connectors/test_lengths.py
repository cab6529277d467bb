"""A connector is short: what vendors of one kind share is written once, and what it holds is its vendor's own."""

from pathlib import Path

from tests.support.code_lines import code_lines
from tests.support.tools import ROOT

LONGEST = {"webhook.py": 60, "poll.py": 40}  # lines of code
LONGER = {  # to be made shorter: none may be added, none may grow
    "asterisk/webhook.py": 79,
    "binotel/webhook.py": 101,
    "fondy/webhook.py": 80,
    "gmail/poll.py": 99,
    "google_forms/poll.py": 76,
    "imap/poll.py": 113,
    "liqpay/webhook.py": 74,
    "monobank_personal/webhook.py": 95,
    "nova_poshta/poll.py": 64,
    "olx/poll.py": 101,
    "privatbank/poll.py": 71,
    "shopify/webhook.py": 111,
    "telegram/webhook.py": 111,
    "ukrposhta/poll.py": 42,
    "woocommerce/webhook.py": 100,
    "zadarma/webhook.py": 69,
}


def long_connectors(folder: Path) -> dict[str, int]:
    """Returns the lines of code of each connector's file that has more than it may, by its name."""
    files = [file for name in LONGEST for file in sorted(folder.glob(f"*/{name}"))]
    lengths = {f"{file.parent.name}/{file.name}": (code_lines(file), LONGEST[file.name]) for file in files}
    return {name: lines for name, (lines, most) in lengths.items() if lines > most}


def test_a_planted_long_one_is_found(tmp_path: Path) -> None:
    planted = {
        "acme/webhook.py": '"""A text.\n\nOf its vendor."""\n' + "x = 1\n\n" * 60,
        "acme/poll.py": "x = 1  # y\n" * 41,
        "acme/send.py": "x = 1\n" * 90,
        "zeta/webhook.py": "# y\nx = 1\n" * 61,
    }
    for name, text in planted.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert long_connectors(tmp_path) == {"acme/poll.py": 41, "zeta/webhook.py": 61}


def test_no_connector_grows() -> None:
    """A shorter one fails here too, so that the list only ever gets shorter."""
    assert long_connectors(ROOT / "services" / "connectors") == LONGER
