"""`crm connect`: connects a vendor and prints the URL to give it."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from crm.connector_catalogue import ConnectorEntry, catalogue, secret_missing, secret_problem, unknown_connector
from crm.connector_settings import check_settings
from crm.public_address import intake_url, url_of, warning
from crm.scalars import Id
from crm.settings import Settings
from services.cli import new_connector
from services.cli import output as show
from services.cli.activation import lines_of, shown
from services.cli.options import Data, Json, Workspace
from services.cli.target import Target, existing_workspace, id_of, target
from services.stack.access import check_change, record_declared
from services.stack.activation import NewConnection, check_connections, connect_vendor, link_to_permit, watch

PANEL, RANK = "Connect", 2


class Connect(TyperCommand):
    """Each connector's settings are options too: `--company-id 1` is `--setting company_id=1`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        entry = connector_in(args)
        ctx.meta["connector"] = entry
        parsed: list[str] = super().parse_args(ctx, list(as_settings(args, entry)) if entry else args)
        return parsed

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if entry := ctx.meta["connector"]:
            formatter.write("\n".join(described(entry)) + "\n")


TYPER = {"cls": Connect}


def connector_in(args: list[str]) -> ConnectorEntry | None:
    """Returns the connector that is named, but not as the value of an option."""
    for before, arg in pairwise(["", *args]):
        value = before.startswith("--") and "=" not in before and before not in ("--json", "--help")
        if not value and (entry := catalogue().get(arg)):
            return entry
    return None


def as_settings(args: list[str], entry: ConnectorEntry) -> Iterator[str]:
    """Yields the arguments with the options of a connector as --setting KEY=VALUE."""
    names = {option(setting.name): setting.name for setting in entry.settings if not setting.prefix}
    rest = iter(args)
    for arg in rest:
        name, sign, value = arg.partition("=")
        if name not in names:
            yield arg
        elif sign or (value := next(rest, "")):
            yield f"--setting={names[name]}={value}"
        else:
            raise ValueError(f"{name} needs a value. Nothing was changed.")


def option(setting: str) -> str:
    return "--" + setting.replace("_", "-")


def described(entry: ConnectorEntry) -> Iterator[str]:
    """Yields the lines of `crm connect VENDOR --help` that are about the vendor."""
    yield f"{entry.name}: {entry.title}."
    if entry.secret:
        yield f"  --secret: {entry.secret}"
    for setting in entry.settings:
        name = f"--setting {setting.name}=..." if setting.prefix else option(setting.name)
        yield f"  {name} ({setting.takes}): {setting.description}"


def connect(
    connector: Annotated[
        str, typer.Argument(help=f"One of {', '.join(catalogue())}, or `new`.", show_default=False)
    ] = "",
    vendor: Annotated[str, typer.Argument(help="After `new`: whose connector to begin.", show_default=False)] = "",
    secret: Annotated[str, typer.Option(help="What the vendor signs with or sends.", envvar="CRM_SECRET")] = "",
    name: Annotated[str, typer.Option(help="Display name.")] = "",
    setting: Annotated[list[str], typer.Option(help="KEY=VALUE; `crm connect VENDOR --help` lists the keys.")] = [],  # noqa: B006
    connection: Annotated[
        str, typer.Option(help="Change this connection instead of making one; what is not given is reset.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Ask the vendors whether the webhooks are still set, and set them again.")
    ] = False,
    every: Annotated[
        int, typer.Option(min=0, help="With --check: seconds between checks of all workspaces, until Ctrl-C. 0: once.")
    ] = 0,
    client_id: Annotated[
        str, typer.Option(help="Of your application at a vendor with OAuth: prints a link to permit it.")
    ] = "",
    client_secret: Annotated[str, typer.Option(help="Of that application.", envvar="CRM_CLIENT_SECRET")] = "",
    polled: Annotated[bool, typer.Option("--polled", help="After `new`: for a vendor whose API is asked.")] = False,
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Connect a vendor. Sets the vendor's webhook if it is given the vendor's key, else prints the URL to give it.

    `crm connect VENDOR --help` lists the vendor's settings.
    `crm connect new VENDOR` begins the code of a connector.
    """
    if check and every:
        where = target(data)
        asyncio.run(watch(where.kafka_bootstrap, intake_url(Settings.read(), where.intake_url), where.keys, every))
    elif check:
        check_webhooks(connector, existing_workspace(workspace_id, data), target(data), json)
    if check:
        return
    if not connector:
        raise typer.BadParameter("Missing argument CONNECTOR: the vendor to connect.")
    if connector == "new":
        begin(vendor, polled, json)
        return
    entry = catalogue().get(connector)
    if vendor:
        raise ValueError(f"There is an argument too many: {vendor!r}. Nothing was changed.")
    if not entry:
        raise ValueError(f"{unknown_connector(connector, catalogue())} Nothing was changed.")
    settings = dict(pair(text) for text in setting)
    if client_id:
        if secret:
            raise ValueError("The secret comes of the link: leave --secret out. Nothing was changed.")
        where, owner = target(data), existing_workspace(workspace_id, data)
        known = id_of(connection) if connection else None
        print_link(NewConnection(owner, entry, name, "", settings, known), (client_id, client_secret), where, json)
        return
    if not secret and entry.needs_secret and not entry.gets_secret(settings):
        raise ValueError(f"{secret_missing(entry)} {how_to_give(entry)} Nothing was changed.")
    if why := secret_problem(entry, secret):
        raise ValueError(f"{why} Nothing was changed.")
    try:
        check_settings(connector, entry.settings, settings)
    except ValueError as error:
        raise ValueError(f"{error} Nothing was changed.") from None
    where, owner = target(data), existing_workspace(workspace_id, data)
    given = id_of(connection) if connection else None
    if given:
        asyncio.run(check_change(where.kafka_bootstrap, owner, connector, given))
    base = intake_url(Settings.read(), where.intake_url)
    new = NewConnection(owner, entry, name or connector, secret, settings, given)
    made, activated = asyncio.run(connect_vendor(where.kafka_bootstrap, new, base, where.keys))
    asyncio.run(record_declared(where.kafka_bootstrap, where.database_url))
    url = url_of(base, made, entry.proof)
    if json:
        result = {"connection": made, "connector": connector, "workspace": owner, "url": url}
        show.print_json({**result, "warning": warning(url) or None, "activation": shown(activated)})
    elif activated:
        show.say(f"{connector} is connected ({made}).\n" + "\n".join(lines_of(activated)))
    elif not url:
        typer.echo(f"{connector} is connected ({made}). There is no URL to give: Potik asks the vendor on a clock.")
    else:
        typer.echo(f"{connector} is connected ({made}). Give the vendor this URL:\n{url}")
        if unreachable := warning(url):
            typer.echo(unreachable, err=True)


def print_link(new: NewConnection, client: tuple[str, str], where: Target, json: bool) -> None:
    """Prints the link by which the owner of the account permits access. Nothing is changed before that."""
    base = intake_url(Settings.read(), where.intake_url)
    try:
        link = asyncio.run(link_to_permit(where.kafka_bootstrap, new, client, base, where.keys))
    except ValueError as error:
        raise ValueError(f"{str(error).removesuffix(' Nothing was changed.')} Nothing was changed.") from None
    near = warning(link.redirect)
    if json:
        said = {"connector": new.entry.name, "workspace": new.workspace, "link": link.url, "redirect": link.redirect}
        show.print_json({**said, "warning": near or None})
        return
    typer.echo(
        f"Open this link as the owner of the account, within ten minutes, and agree. It works once:\n{link.url}\n"
        f"Your application at {new.entry.name} must allow this redirect address: {link.redirect}"
    )
    if near:
        typer.echo(near, err=True)


def check_webhooks(connector: str, owner: Id, where: Target, json: bool) -> None:
    """Prints what each activated connection came to. Exits with 1 when one needs a person."""
    base = intake_url(Settings.read(), where.intake_url)
    checked = asyncio.run(check_connections(where.kafka_bootstrap, owner, connector, base, where.keys))
    if json:
        show.print_json([{**one, "activation": shown(activated)} for one, activated in checked])
    elif not checked:
        show.say("No connection was made with a vendor's key, so there is nothing to ask vendors about.")
    else:
        for one, activated in checked:
            show.say("\n".join((f"{one['connector']} {one['name']!r} ({one['connection']})", *lines_of(activated))))
    if not all(activated.active for _, activated in checked):
        raise typer.Exit(1)


def how_to_give(entry: ConnectorEntry) -> str:
    if entry.oauth:
        return "Give it with --secret, or --client-id and --client-secret for a link to permit it."
    if not entry.activation or entry.activation.secret == "given":
        return "Give it with --secret."
    return f"Give the secret with --secret, or {' and '.join(map(option, entry.activation.needs))}."


def begin(vendor: str, polled: bool, json: bool) -> None:
    """Writes the folder of a connector and says what to do with it."""
    files = [str(file) for file in new_connector.write(vendor, polled)]
    if json:
        show.print_json({"connector": vendor, "files": files})
        return
    typer.echo("Written:\n" + "\n".join(f"  {file}" for file in files))
    typer.echo("Change them into the vendor's, run `make events`, then `make unit`. More: docs/connecting.md.")


def pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not key or not sign:
        raise ValueError(f"--setting takes KEY=VALUE; it was given {text!r}. Nothing was changed.")
    return key, value
