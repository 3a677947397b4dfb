"""Many slow lines that send a large file at once, from a process of their own so that who measures is not slowed:

python -m tests.support.slow_uploads https://127.0.0.1:8443 edge.crt /api/v1/…/roster <token> <seconds>

One JSON object at the end: how often each status was answered ("open": lines that were still sending).
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

LINES = 200
FILE_BYTES = 5 * 1024 * 1024
BYTES_A_SECOND = 32 * 1024
WAIT_SECONDS = 2.0


async def main(address: str, certificate: str, path: str, token: str, seconds: float) -> Counter[str]:
    """All lines until the time is over; whoever is turned away comes again."""
    trusted = ssl.create_default_context(cafile=certificate)
    where = urlsplit(address)
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\nX-Filename: slow.csv\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {FILE_BYTES}\r\nConnection: close\r\n\r\n"
    ).encode()
    ends, answers = time.monotonic() + seconds, Counter[str]()

    async def line() -> None:
        await asyncio.sleep(random.random())  # lines do not keep time together
        while time.monotonic() < ends:
            reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=trusted)
            try:
                answers[await _upload(reader, writer, head, ends)] += 1
            except (ConnectionError, ssl.SSLError):
                answers["broken off"] += 1
            finally:
                writer.close()
            await asyncio.sleep(WAIT_SECONDS)

    await asyncio.gather(*(line() for _ in range(LINES)))
    return answers


async def _upload(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, ends: float
) -> str:
    """One file, a part every second; an answer that comes early ends it."""
    writer.write(head)
    answer = asyncio.ensure_future(reader.readline())
    sent = 0
    while sent < FILE_BYTES and not answer.done():
        if time.monotonic() > ends:
            answer.cancel()
            return "open"
        writer.write(b"x" * min(BYTES_A_SECOND, FILE_BYTES - sent))
        await writer.drain()
        sent += BYTES_A_SECOND
        await asyncio.wait({answer}, timeout=1)
    words = (await answer).split()
    return words[1].decode() if len(words) > 1 else "broken off"


if __name__ == "__main__":
    *said, seconds = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(main(*said, float(seconds)))))
