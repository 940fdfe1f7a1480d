"""``python -m tests.bench.viewers ADDRESS COOKIE COUNT``: so many pages that watch a run, without browsers.

Prints ``ready`` when all sockets are open and said what a page says first, then waits until the server closes
them; a last line has how many frames came.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect


async def view(address: str, cookie: str, opened: asyncio.Semaphore, ready: list[int]) -> int:
    """Watch until the end; answer how many frames came."""
    origin = "http://" + address.split("/")[2]
    frames = 0
    async with opened:
        socket = await connect(
            address, origin=origin, additional_headers={"Cookie": cookie}, max_size=None, open_timeout=60
        )
    async with socket:
        await socket.send(json.dumps({"read": {}}))
        ready.append(1)
        async for _ in socket:
            frames += 1
    return frames


async def main(address: str, cookie: str, count: int) -> None:
    """Open all, a few at a time."""
    opened, ready = asyncio.Semaphore(10), []
    watching = [asyncio.create_task(view(address, cookie, opened, ready)) for _ in range(count)]
    while len(ready) < count:
        await asyncio.sleep(0.05)
        for task in watching:
            if task.done():
                task.result()
    print("ready", flush=True)
    print(sum(await asyncio.gather(*watching)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
