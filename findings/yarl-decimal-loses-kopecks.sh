#!/usr/bin/env bash
# A Decimal among the query parameters of an aiohttp request.
#
# Most people expect: params={"amount": Decimal("1250.50")} sends amount=1250.50, as httpx and requests do; or a TypeError, as
#   for None and True.
# What happens: yarl takes whatever has __int__ and is neither str, int nor float through int(). The kopecks are cut: 1250.50
#   goes out as 1250, 0.99 as 0. A float keeps them, and so does the same Decimal in aiohttp's form body.
# Why it matters: a program that moved money from float to Decimal to be exact sends wrong amounts to a bank or a payment page, and gets
#   a status of 200. Give str(amount).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5 yarl==1.25.1
"$dir/venv/bin/python" - <<'PY'
import asyncio, sys
from decimal import Decimal
from importlib.metadata import version
import aiohttp
from aiohttp import web

async def echo(request):
    return web.Response(text=request.query_string or await request.text())

async def ask():
    app = web.Application()
    app.router.add_route("*", "/pay", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/pay"
    seen = []
    async with aiohttp.ClientSession() as session:
        for amount in (Decimal("1250.50"), Decimal("0.99"), 1250.5):
            async with session.get(url, params={"amount": amount}) as answer:
                seen.append(await answer.text())
        async with session.post(url, data={"amount": Decimal("1250.50")}) as answer:
            seen.append(await answer.text())
    await runner.cleanup()
    return seen

print("aiohttp", version("aiohttp"), "and yarl", version("yarl"))
print("A Decimal query parameter is sent as its whole part; a float, and a Decimal in the body, are sent whole.")
seen = asyncio.run(ask())
for what, got in zip(("query, Decimal 1250.50", "query, Decimal 0.99", "query, float 1250.5", "body, Decimal 1250.50"), seen):
    print(f"  {what}: the server got {got}")
expected = ["amount=1250", "amount=0", "amount=1250.5", "amount=1250.50"]
sys.exit(0 if seen == expected else f"the behaviour has changed: {seen}")
PY
