"""A marimo notebook: the funnel of deals, and how long they stay in each stage.

    .venv/bin/pip install -e '.[analysts]'
    marimo edit docs/notebooks/funnel.py

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
    # Funnel, with time in stage

    `docs/replay/stages.py` makes a row each time a deal enters a stage. The rest is polars.
    """)
    return


@app.cell
def _(Path, os, replay):
    file = Path(__file__).parent.parent / "replay" / "stages.py"
    entered = replay(file, archive=os.environ.get("CRM_ARCHIVE"))
    entered
    return (entered,)


@app.cell
def _(entered, pl):
    # A deal stays in a stage until it enters the next one; it is still in its last stage.
    left_at = pl.col("entered_at").shift(-1).over("deal_id", order_by="entered_at")
    stays = entered.with_columns(left_at.alias("left_at")).with_columns(
        days=(pl.col("left_at") - pl.col("entered_at")).dt.total_seconds() / 86_400
    )
    funnel = (
        stays.group_by("stage")
        .agg(
            deals=pl.col("deal_id").n_unique(),
            still_there=pl.col("left_at").is_null().sum(),
            median_days=pl.col("days").median(),
        )
        .sort("deals", "stage", descending=[True, False])
    )
    funnel
    return funnel, stays


@app.cell
def _(alt, funnel):
    order = funnel["stage"].to_list()
    reached = (
        alt.Chart(funnel, title="Deals that entered each stage")
        .mark_bar()
        .encode(alt.X("deals:Q"), alt.Y("stage:N", sort=order), tooltip=["stage", "deals", "still_there"])
    )
    reached
    return order, reached


@app.cell
def _(alt, order, pl, stays):
    in_stage = (
        alt.Chart(stays.filter(pl.col("days").is_not_null()), title="Days in a stage, for deals that have left it")
        .mark_boxplot()
        .encode(alt.X("days:Q"), alt.Y("stage:N", sort=order))
    )
    in_stage
    return (in_stage,)


if __name__ == "__main__":
    app.run()
