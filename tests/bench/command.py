"""`crm bench`: figures of this machine against the running stack, as JSON."""

import asyncio
import logging
from typing import Annotated, Any

import typer

from services.cli import output as show
from services.cli.options import Data, Json
from services.cli.target import target
from services.stack import demo_workspace, state
from tests.bench import console as bench_console
from tests.bench import history_command as bench_history
from tests.bench import lookups, rings
from tests.bench.connectors import bench_connectors
from tests.bench.cost import bench_cost
from tests.bench.decide_and_project import bench_facts
from tests.bench.end_to_end import bench_forms
from tests.bench.exports import bench_exports
from tests.bench.graphql.run import measure
from tests.bench.graphql.wrk import Load
from tests.bench.growth import growth
from tests.bench.idle import idle as measure_idle
from tests.bench.imports import PARTS, Bench, bench_imports
from tests.bench.intake import bench_intake
from tests.bench.open_api.command import open_api
from tests.bench.overload import overload as overloaded
from tests.bench.peers import peers
from tests.bench.polling import bench_polling
from tests.bench.progress import progress_printer
from tests.bench.replies import measure as measure_replies
from tests.bench.screen_pop import screen_pop as measure_screen_pop
from tests.bench.stacks import stack
from tests.bench.streaming import bench_streaming
from tests.bench.subscriptions import subscriptions as open_subscriptions
from tests.bench.webhooks import measure as measure_webhooks

app = typer.Typer(no_args_is_help=True, help="Measure: each prints JSON with its machine, settings and percentiles.")
Seconds = Annotated[int, typer.Option(min=1, help="How long.")]
for name, command in bench_history.COMMANDS.items():
    app.command(name, hidden=name == "rebuild-beside")(command)
app.command("open-api")(open_api)
app.command()(stack)
app.command()(growth)
app.command()(peers)


@app.command()
def intake(
    seconds: Seconds = 15,
    connections: Annotated[int, typer.Option(min=1, help="At once.")] = 64,
    data: Data = None,
    json: Json = False,
) -> None:
    """Form POSTs a second that intake acknowledges."""
    here, known = target(data), demo(data)
    found = bench_intake(
        here.intake_url, known.form, seconds=seconds, connections=connections, progress=progress_printer(json)
    )
    if stack := state.read(data or state.data_folder()):
        found["settings"]["running_roles"] = sorted({part.name for part in stack.parts} - {"intake", "kafka"})
    show.print_json(found)


@app.command()
def polling(
    accounts: Annotated[int, typer.Option(min=1, help="That always have one more page.")] = 1_000,
    seconds: Seconds = 30,
) -> None:
    """Memory and speed of one poller, with Kafka and vendors in memory."""
    show.print_json(bench_polling(accounts, seconds))


@app.command()
def imports(
    rows: Annotated[int, typer.Option(min=1, help="Of the table.")] = 1_000_000,
    only: Annotated[str, typer.Option(help=f"Parts, with commas between them: {', '.join(PARTS)}.")] = ",".join(PARTS),
    data: Data = None,
    json: Json = False,
) -> None:
    """Check, import, undo, redo and POST /facts of a table, and how soon forms are visible meanwhile."""
    here, known, report = target(data), demo(data), progress_printer(json)
    address, folder = f"{here.intake_url}/in/{known.form}", data or state.data_folder()
    bench = Bench(folder, here.graphql_url, known.token, address, known.workspace, here.database_url, rows)
    show.print_json(asyncio.run(bench_imports(bench, [part.strip() for part in only.split(",")], report)))


@app.command()
def export(
    view: Annotated[str, typer.Option(help="What is exported.")] = "contact", data: Data = None, json: Json = False
) -> None:
    """A view of the running stack into CSV, XLSX and Parquet."""
    known, report = demo(data), progress_printer(json)
    show.print_json(bench_exports(target(data).database_url, known.workspace, view, report))


@app.command()
def webhooks(
    rate: Annotated[int, typer.Option(min=10, help="Deliveries a second, to 100 receivers.")] = 500,
    seconds: Seconds = 15,
    backlog: Annotated[int, typer.Option(min=1_000, help="Deliveries that are committed at once.")] = 50_000,
    json: Json = False,
) -> None:
    """Webhooks on servers of their own: latency, dead and slow receivers, deliveries a second, a replay."""
    show.print_json(asyncio.run(measure_webhooks(rate, seconds, backlog, progress_printer(json))))


@app.command()
def replies(
    rate: Annotated[int, typer.Option(min=10, help="Replies a second, through 100 connections.")] = 100,
    seconds: Seconds = 15,
    json: Json = False,
) -> None:
    """Replies on servers of their own: from commit to the vendor's request, replies a second, busy and slow vendors."""
    show.print_json(asyncio.run(measure_replies(rate, seconds, progress_printer(json))))


@app.command("end-to-end")
def end_to_end(
    rate: Annotated[int, typer.Option(min=1, help="Facts a second, streamed straight to Kafka.")] = 10_000,
    seconds: Seconds = 60,
    forms: Annotated[int, typer.Option(min=1, help="Forms a second, of which each is looked for in GraphQL.")] = 200,
    forms_seconds: Annotated[int, typer.Option(min=1, help="How long these.")] = 20,
    data: Data = None,
    json: Json = False,
) -> None:
    """Form to GraphQL at a steady rate; then facts decided and projected, streamed in."""
    here, known, report = target(data), demo(data), progress_printer(json)
    address = f"{here.intake_url}/in/{known.form}"

    async def both() -> list[dict[str, Any]]:
        seen = await bench_forms(address, here.graphql_url, known.token, forms, forms_seconds, report)
        flow = await bench_streaming(here.kafka_bootstrap, here.database_url, known.workspace, rate, seconds, report)
        return [seen, flow]

    show.print_json(asyncio.run(both()))


@app.command()
def cost(
    rate: Annotated[int, typer.Option(min=1, help="Facts a second.")] = 1_000,
    seconds: Seconds = 30,
    data: Data = None,
    json: Json = False,
) -> None:
    """Processor time of a fact by process, and its bytes by place."""
    folder, known, report = data or state.data_folder(), demo(data), progress_printer(json)
    show.print_json(bench_cost(target(data), folder, known.workspace, rate, seconds, report))


@app.command()
def facts(
    count: Annotated[int, typer.Option(min=1_000, help="Of the mixture, and of updates of known records.")] = 9_000,
    against: Annotated[str, typer.Option(help="A commit to measure in turns with this one.")] = "",
    runs: Annotated[int, typer.Option(min=1, help="Of each of the two.")] = 3,
    json: Json = False,
) -> None:
    """Processor time of a fact in decide, project and Postgres by part, on a Postgres of its own."""
    show.print_json(bench_facts(count, against, runs, progress_printer(json)))


@app.command()
def idle(seconds: Seconds = 30, data: Data = None, json: Json = False) -> None:
    """Processor time by process of a stack that has nothing to do."""
    show.print_json(measure_idle(data or state.data_folder(), seconds))


@app.command()
def overload(
    rate: Annotated[int, typer.Option(min=1, help="Facts a second, streamed straight to Kafka.")] = 50_000,
    seconds: Seconds = 60,
    connections: Annotated[int, typer.Option(min=1, help="That post forms, each as fast as it is answered.")] = 512,
    patience: Annotated[int, typer.Option(min=1, help="Seconds for everything to be decided afterwards.")] = 900,
    data: Data = None,
    json: Json = False,
) -> None:
    """Overload: the memory of each role, and whether all acknowledged facts are decided."""
    known, report, folder = demo(data), progress_printer(json), data or state.data_folder()
    address = f"{state.running(folder).intake_url}/in/{known.form}"
    run = overloaded(folder, address, known.workspace, rate, seconds, connections, patience, report)
    show.print_json(asyncio.run(run))


@app.command()
def graphql(
    contacts: Annotated[
        int, typer.Option(min=150, help="Each with five deals, each of these with a payment.")
    ] = 20_000,
    seconds: Seconds = 5,
    connections: Annotated[int, typer.Option(min=1, help="At once.")] = 16,
    postgraphile: Annotated[bool, typer.Option(" /--without-postgraphile", help="Leave PostGraphile out.")] = True,
    json: Json = False,
) -> None:
    """Four questions to this API, to plain strawberry and to PostGraphile, on servers of their own, side by side."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a server that starts does not answer at first
    load = Load(seconds, connections=connections)
    found = asyncio.run(measure(contacts, load, postgraphile, progress_printer(json)))
    show.print_json(found) if json else print_comparison(found)


@app.command()
def connectors(repeats: Annotated[int, typer.Option(min=1, help="Of each sample.")] = 200, json: Json = False) -> None:
    """What each connector makes of its samples, and the processor time of a delivery; needs no stack."""
    found = bench_connectors(repeats)
    if json:
        show.print_json(found)
        return
    names = list(next(iter(found["connectors"].values())))
    rows = [[name, *row.values()] for name, row in found["connectors"].items()]
    show.print_table(["connector", *names], rows)


Contacts = Annotated[int, typer.Option(min=1000, help="Among whom one is looked for.")]
Rate = Annotated[int, typer.Option(min=1, help="Questions a second.")]


@app.command()
def caller(contacts: Contacts = 1_000_000, rate: Rate = 200, seconds: Seconds = 20, json: Json = False) -> None:
    """Find a caller by phone number in any spelling, known and unknown, on servers of its own."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    show.print_json(asyncio.run(lookups.caller(contacts, rate, seconds, progress_printer(json))))


@app.command()
def ring(contacts: Contacts = 1_000_000, rate: Rate = 100, seconds: Seconds = 20, json: Json = False) -> None:
    """Who is calling, answered by intake to an exchange while the telephone rings, on servers of its own."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    show.print_json(asyncio.run(rings.ring(contacts, rate, seconds, progress_printer(json))))


@app.command("screen-pop")
def screen_pop(
    contacts: Contacts = 1_000_000,
    rate: Annotated[int, typer.Option(min=1, help="Calls a second.")] = 20,
    seconds: Seconds = 30,
    screens: Annotated[int, typer.Option(min=1, help="Of one employee each.")] = 50,
    json: Json = False,
) -> None:
    """From the report that a call rings to the employee's screen, and to a webhook, on servers of their own."""
    show.print_json(asyncio.run(measure_screen_pop(contacts, rate, seconds, screens, progress_printer(json))))


@app.command()
def search(contacts: Contacts = 1_000_000, rate: Rate = 10, seconds: Seconds = 20, json: Json = False) -> None:
    """Search by whole, partial and misspelt names, parts of phones and e-mails, and deal numbers."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    show.print_json(asyncio.run(lookups.search(contacts, rate, seconds, progress_printer(json))))


def print_comparison(found: dict[str, Any]) -> None:
    """Prints a table."""
    names = [name for name in ("potik", "plain strawberry", "postgraphile") if name in found["questions"][0]]
    rows = [
        [
            row["question"],
            *(f"{row[name]['requests_per_s']:,.0f}/s, p99 {row[name]['p99_ms']:g} ms" for name in names),
            row.get("times_postgraphile"),
            row["goal_per_s"],
        ]
        for row in found["questions"]
    ]
    show.print_table(["question", *names, "times PostGraphile", "goal/s"], rows)


@app.command()
def subscriptions(
    count: Annotated[int, typer.Option(min=1, help="Subscriptions, each to a deal of its own.")] = 10_000,
    rate: Annotated[int, typer.Option(min=1, help="Deals a second that change.")] = 1_000,
    data: Data = None,
    json: Json = False,
) -> None:
    """Open subscriptions: time until each is notified of its deal's change, and the API's memory and CPU."""
    here, known, report = target(data), demo(data), progress_printer(json)
    run = open_subscriptions(
        here.graphql_url, here.kafka_bootstrap, here.database_url, known.workspace, known.token, count, rate, report
    )
    show.print_json(asyncio.run(run))


@app.command()
def console(
    deals: Annotated[int, typer.Option(min=100, help="On the board.")] = 100_000,
    events: Annotated[int, typer.Option(min=100, help="Messages of one contact.")] = 10_000,
    data: Data = None,
    json: Json = False,
) -> None:
    """The console in a browser: first paint, moves, a long card, a call that rings. It fills the demo's workspace."""
    here, known = state.running(data or state.data_folder()), demo(data)
    show.print_json(bench_console.run(here, known, deals, events, progress_printer(json)))


def demo(data: Data) -> demo_workspace.Demo:
    """Returns the demo workspace. Raises ValueError when there is none."""
    if found := demo_workspace.read(data or state.data_folder()):
        return found
    raise ValueError("There is no demo workspace yet: start the stack once with `crm up`.")
