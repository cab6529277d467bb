"""A marimo notebook: revenue by source as of the end of each month, as it was and as we knew it then.

    .venv/bin/pip install -e '.[analysts]'
    marimo edit docs/notebooks/revenue.py

It reads the archive that CRM_ARCHIVE names, else the Kafka that KAFKA_BOOTSTRAP names. A test runs it.
"""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import os
    from pathlib import Path

    import altair as alt
    import marimo as mo
    import polars as pl

    from streams.replay import replay

    return Path, alt, mo, os, pl, replay


@app.cell
def _(mo):
    mo.md("""
    # Revenue by source, as of each month's end

    Banks report some payments late. So there are two answers for each month: what was **true** at its end, and what
    was **known** then. `docs/replay/revenue.py` keeps both clocks of each payment; the rest is polars.
    """)
    return


@app.cell
def _(Path, os, replay):
    file = Path(__file__).parent.parent / "replay" / "revenue.py"
    archive = os.environ.get("CRM_ARCHIVE")
    origins = replay(file, name="origin", archive=archive)
    receipts = replay(file, name="receipt", archive=archive)
    receipts
    return archive, file, origins, receipts


@app.cell
def _(origins, pl, receipts):
    changes = receipts.join(origins, on=["workspace", "deal_id"])
    earliest, latest = pl.col("happened_at").min(), pl.col("known_at").max()
    ends = changes.select(
        pl.datetime_range(earliest.dt.month_start().dt.truncate("1d"), latest, "1mo")
        .dt.offset_by("1mo")
        .alias("month_end")
    )
    clocks = [("true", "happened_at"), ("known", "known_at")]
    revenue = pl.concat(
        ends.join_where(changes, pl.col(at) < pl.col("month_end"))
        .group_by("month_end", "source", "currency")
        .agg(minor=pl.col("change_minor").sum())
        .with_columns(what=pl.lit(what))
        for what, at in clocks
    ).sort("month_end", "source", "what")
    revenue
    return (revenue,)


@app.cell
def _(alt, pl, revenue):
    # Amounts are whole numbers of minor units everywhere; only the chart divides.
    shown = revenue.with_columns(
        amount=pl.col("minor") / 100, month=pl.col("month_end").dt.offset_by("-1d").dt.strftime("%Y-%m")
    )
    chart = (
        alt.Chart(shown, title="Revenue by source, as of each month's end")
        .mark_bar()
        .encode(
            alt.X("month:O"),
            alt.Y("amount:Q"),
            alt.Color("source:N"),
            alt.Column("what:N", title=None),
            tooltip=["month", "source", "amount", "currency", "what"],
        )
    )
    chart
    return (chart,)


@app.cell
def _(archive, file, replay, revenue):
    # Another way to the same figure: replay only what was known at the end of the first month.
    from datetime import timedelta

    first_end = revenue["month_end"].min() - timedelta(microseconds=1)
    known_then = replay(file, name="receipt", archive=archive, until=first_end, clock="recorded")
    known_then
    return (known_then,)


if __name__ == "__main__":
    app.run()
