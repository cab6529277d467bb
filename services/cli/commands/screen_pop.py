"""`crm screen-pop`: prints who is calling while the telephone rings."""

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import typer

from services.cli.options import Data, Json
from services.cli.target import target
from services.stack import demo_workspace, state

PANEL, RANK = "Look", 2

WHY = {
    "answered": "answered",
    "answered_by_another": "answered by somebody else",
    "ended": "ended",
    "rings_another": "rings at somebody else",
    "rings_no_more": "rings no more",
    "crowded_out": "no longer shown: too many calls ring",
    "silent": "nothing was heard of it for ten minutes",
}


def screen_pop(
    employees: Annotated[
        list[str], typer.Option("--employee", help="Key, e-mail or internal number; may be repeated. Default: all.")
    ] = [],  # noqa: B006
    token: Annotated[
        str, typer.Option(help="Token with scope read.", show_default="$CRM_TOKEN or the demo workspace's")
    ] = "",
    url: Annotated[str, typer.Option(help="Address of the API.", show_default="the running stack's")] = "",
    count: Annotated[int, typer.Option(help="Stop after this many messages; 0: never.")] = 0,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print who is calling, as /screen-pop sends it. Resumes after a cut. Stop with Ctrl-C."""
    from services.operations.screen_pop import Refused, Screen

    address = (url or target(data).graphql_url).rstrip("/").removesuffix("/graphql").removesuffix("/screen-pop")
    screen = Screen(f"{address}/screen-pop", token or os.environ.get("CRM_TOKEN", "") or demo_token(data), employees)
    try:
        for seen, (kind, said) in enumerate(screen.follow(), 1):
            typer.echo(msgspec.json.encode({"event": kind, **said}).decode() if json else line(kind, said))
            if seen == count:
                return
    except Refused as error:
        raise ValueError(str(error)) from None


def demo_token(data: Any) -> str:
    """Raises ValueError when there is no demo workspace."""
    if demo := demo_workspace.read(data or state.data_folder()):
        return demo.token
    raise ValueError("Give --token or set CRM_TOKEN: there is no demo workspace. See `crm token create`.")


def line(kind: str, said: Mapping[str, Any]) -> str:
    """Returns a message for people."""
    if kind == "refused":
        return str(said["message"])
    if kind == "end":
        by = f" ({called(said['by'])})" if said["by"] else ""
        return f"end   {said['call_id']}  {WHY.get(said['why'], said['why'])}{by}"
    phone = said["phone"] or said["phone_text"] or "no number"
    rings = f"  rings {called(said['employee'])}" if said["employee"] else ""
    return f"ring  {said['call_id']}  {phone}  {who(said['match'], said['contacts'])}{rings}"


def who(match: str, contacts: Sequence[Mapping[str, Any]]) -> str:
    if not contacts:
        return "unknown"
    found = [described(one) for one in contacts]
    return found[0] if match == "certain" else f"not certain: {' or '.join(found)}"


def described(contact: Mapping[str, Any]) -> str:
    deals = ", ".join(f"D-{deal['number']} {deal['title']} {deal['amount']}" for deal in contact["open_deals"][:3])
    owner = contact["owner"] and (contact["owner"]["name"] or contact["owner"]["key"])
    talk = contact["conversation"] and f"“{contact['conversation']['last_text'][:60]}”"
    return "; ".join(filter(None, (contact["name"] or "without a name", deals, owner, talk)))


def called(employee: Mapping[str, Any]) -> str:
    names = " or ".join(one["name"] or one["key"] for one in employee["owners"])
    return names or str(employee["said"])
