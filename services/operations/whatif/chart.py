"""The outcome as a chart: deals by owner and by stage, as they were and as they would have been."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from services.operations.whatif.course import Compared, Share

KINDS = (".html", ".svg", ".png", ".json")
WAS, WOULD = "as it was", "by the rules on trial"


def save(file: Path, about: str, deals: Sequence[Compared], owners: Sequence[Share]) -> None:
    """Raises ValueError when the file's ending is none of KINDS, or the packages for charts are missing."""
    if file.suffix not in KINDS:
        raise ValueError(f"{file} ends in no kind of chart; there are {', '.join(KINDS)}.")
    try:
        import altair
    except ImportError:
        raise ValueError("Charts need the extra `analysts`: pip install 'potik[analysts]'. All else is done.") from None
    taken = [
        {"owner": share.owner or "nobody", "which": which, "deals": count}
        for share in owners
        for which, count in ((WAS, share.deals), (WOULD, share.would_deals))
    ]
    stages = [
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
        for values, name, title in ((taken, "owner", "Who got the deals"), (stages, "stage", "How far they came"))
    ]
    altair.hconcat(*charts, title=about).save(str(file))
