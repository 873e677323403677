# SPDX-License-Identifier: Apache-2.0
"""Hundreds of clients that keep a connection for as little as they can, each from an address of its
own, and come back a second after they were ended; the slow, each of whom costs a page, after five.
Those that ask do it once a second; those that hammer do nothing else, all from one address.
usage: slow_clients.py PORT silent|dripping|slow|asking|hammering COUNT [tls]
Prints a line once each of them has been connected."""
import asyncio
import contextlib
import re
import resource
import socket
import ssl
import sys

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
connected = set()


async def silent(reader, _):
    await reader.read(1)


async def dripping(_, writer):
    """A byte of a request each half second; its end never comes."""
    for byte in REQUEST + b"X: " + b"y" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.5)


async def slow(reader, writer):
    """A request as it should be, and a byte of the reply each half second."""
    writer.write(REQUEST + b"\r\n")
    while await reader.read(1):
        await asyncio.sleep(0.5)


async def whole_reply(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))


async def asking(reader, writer):
    """On one connection, as long as it is let."""
    while True:
        writer.write(REQUEST + b"\r\n")
        await whole_reply(reader)
        await asyncio.sleep(1)


async def hammering(reader, writer):
    """The next request is there before the reply to the last."""
    writer.write(REQUEST + b"\r\n")
    while True:
        writer.write(REQUEST + b"\r\n")
        await whole_reply(reader)


async def connection(number, port, kind):
    plain = socket.socket()
    plain.setblocking(False)
    if kind is slow:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    own = f"127.0.{1 + number // 200}.{1 + number % 200}" if kind is not hammering else "127.0.9.9"
    plain.bind((own, 0))
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    return plain


async def client(number, port, kind, context):
    # Half of those that say nothing over TLS do not even say hello.
    tls = context if kind is not silent or number % 2 == 0 else None
    while True:
        writer = None
        with contextlib.suppress(OSError, EOFError, asyncio.TimeoutError):
            plain = await connection(number, port, kind)
            reader, writer = await asyncio.open_connection(
                sock=plain, limit=512 if kind is slow else 1 << 16, ssl=tls, server_hostname="localhost" if tls else None)
            connected.add(number)
            await kind(reader, writer)
        connected.add(number)  # or refused, as it may be
        if writer is not None:
            writer.transport.abort()
        await asyncio.sleep(PAUSES.get(kind, 1))


PAUSES = {slow: 5, hammering: 0}


async def main(port, kind, count, tls):
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    clients = [asyncio.create_task(client(i, port, kind, context)) for i in range(count)]
    while len(connected) < count:
        await asyncio.sleep(0.1)
    print("all", flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(main(int(sys.argv[1]), globals()[sys.argv[2]], int(sys.argv[3]),
                     sys.argv[4:] == ["tls"]))
