"""Looks up a caller, then follows deals until Ctrl-C: `python example.py "067 123 45 67"`."""

import asyncio
import os
import sys

from follow import follow
from potik_client import Client


async def main(phone: str) -> None:
    url, authorization = os.environ["GRAPHQL"], f"Bearer {os.environ['TOKEN']}"
    async with Client(
        url=url,
        headers={"Authorization": authorization},
        ws_url=url.replace("http", "ws", 1),
        ws_connection_init_payload={"authorization": authorization},
    ) as potik:
        caller = (await potik.who_is_calling(phone)).caller
        print(caller.contact.name if caller.contact else "unknown number")
        for card in caller.open_deals:
            print(f"D-{card.number} {card.title}: {card.amount.text}, {card.stage}")
        print("following", flush=True)
        changes = follow(lambda after: potik.deal_changed(after=after), lambda change: change.deal_changed.cursor)
        async for change in changes:
            if deal := change.deal_changed.deal:
                print(f"D-{deal.number} is {deal.stage}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
