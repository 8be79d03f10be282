"""Holds connections open to a node's door: crowd.py HOST PORT IDLE SLOW SECONDS.

IDLE connections have asked once and stay; SLOW ones send the head of an upload and then a byte of its body now and then. Writes one
line of JSON when all of them stand, and another when SECONDS have passed or its input ends: how many the node still holds.
"""

import asyncio
import json
import resource
import sys

HOST, PORT, IDLE, SLOW, SECONDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
ASK = f"GET /livez HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
# Fast enough not to be cut off (200 bytes a second), slow enough to last: 300 bytes a second.
BEGIN = (
    f"POST /api/upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    f"Content-Length: 1000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\n"
).encode()
PIECE, PAUSE = b"x" * 1500, 5.0


async def idle(gate: asyncio.Semaphore, opened: list) -> None:
    async with gate:
        reader, writer = await asyncio.open_connection(HOST, PORT)
        writer.write(ASK)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        opened.append((reader, writer))


async def slow(gate: asyncio.Semaphore, opened: list) -> None:
    async with gate:
        reader, writer = await asyncio.open_connection(HOST, PORT)
        writer.write(BEGIN)
        await writer.drain()
        opened.append((reader, writer))


async def trickle(connections: list) -> None:
    while True:
        share = max(1, len(connections) // 50)
        for start in range(0, len(connections), share):
            for _, writer in connections[start : start + share]:
                if not writer.is_closing():
                    writer.write(PIECE)
            await asyncio.sleep(PAUSE / 50)


def standing(connections: list) -> int:
    return sum(not reader.at_eof() and not writer.is_closing() for reader, writer in connections)


async def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gate, idlers, slowers = asyncio.Semaphore(200), [], []
    await asyncio.gather(*(idle(gate, idlers) for _ in range(IDLE)))
    await asyncio.gather(*(slow(gate, slowers) for _ in range(SLOW)))
    print(json.dumps({"idle": len(idlers), "slow": len(slowers)}), flush=True)
    sending = asyncio.create_task(trickle(slowers))
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait([ended], timeout=SECONDS)
    sending.cancel()
    print(json.dumps({"idleLeft": standing(idlers), "slowLeft": standing(slowers)}), flush=True)
    import os

    os._exit(0)


asyncio.run(main())
