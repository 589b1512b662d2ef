"""Looks for KNX interfaces and fails when there is none."""

import asyncio
import sys

from xknx import XKNX
from xknx.io import GatewayScanner

from plan import THIS


async def search():
    found = await GatewayScanner(XKNX(), local_ip=THIS["ip"]).scan()
    for gateway in found:
        print(gateway)
    if not found:
        sys.exit("no interface answered")


asyncio.run(search())
