"""Draws the outcome: deals by owner and by stage, with the real and with the other rules."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.operations.whatif.deal_outcomes import Compared, Share

KINDS = (".html", ".svg", ".png", ".json")
# A page that works without a network: its scripts are in it, and no menu sends the data to an editor elsewhere.
PAGE: dict[str, Any] = {"inline": True, "embed_options": {"actions": {"editor": False}}}
WAS, WOULD = "as it was", "by the rules on trial"


def save(file: Path, about: str, deals: Sequence[Compared], owners: Sequence[Share]) -> None:
    """Writes the chart. Raises ValueError for an unknown file type, or when the packages for charts are missing."""
    if file.suffix not in KINDS:
        raise ValueError(f"{file} is not a type of chart. Choose one of {', '.join(KINDS)}.")
    try:
        import altair
    except ImportError:
        raise ValueError(
            "Charts need the extra `analysts`: .venv/bin/pip install -e '.[analysts]'. Everything else is done."
        ) from None
    by_owner = [
        {"owner": share.owner or "nobody", "which": which, "deals": count}
        for share in owners
        for which, count in ((WAS, share.deals), (WOULD, share.would_deals))
    ]
    by_stage = [
        {"stage": stage, "which": which, "deals": count}
        for which, counted in (
            (WAS, Counter(deal.stage for deal in deals if deal.stage)),
            (WOULD, Counter(deal.would_stage for deal in deals if deal.would_stage)),
        )
        for stage, count in counted.items()
    ]
    charts = [
        altair.Chart({"values": values}, title=title)
        .mark_bar()
        .encode(
            x=altair.X(f"{name}:N", title=None),
            xOffset="which:N",
            y=altair.Y("deals:Q", title="deals"),
            color=altair.Color("which:N", title=None),
        )
        for values, name, title in (
            (by_owner, "owner", "Who got the deals"),
            (by_stage, "stage", "Stages that the deals reached"),
        )
    ]
    page = PAGE if file.suffix == ".html" else {}
    altair.hconcat(*charts, title=about).save(str(file), **page)
