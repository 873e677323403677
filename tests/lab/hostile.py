# SPDX-License-Identifier: Apache-2.0
"""Servers that fail on purpose: one table of scenarios, each a function of the accepted socket."""
import contextlib
import socket
import ssl
import struct
import threading
import time


def read_request(peer):
    """Reads up to the empty line, so that closing afterwards sends a FIN and not a RST."""
    data = b""
    peer.settimeout(5)
    while b"\r\n\r\n" not in data:
        part = peer.recv(4096)
        if not part:
            break
        data += part
    return data


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def after_request(answer, end="fin"):
    def serve(peer, stop):
        read_request(peer)
        if answer:
            peer.sendall(answer)
        if end == "rst":
            time.sleep(0.05)  # let the answer arrive before the RST discards it
            reset(peer)
        elif end == "hang":
            stop.wait(30)

    return serve


def reply(status, body=b"", headers=b""):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), headers, body)


def hang(peer, stop):
    stop.wait(30)


def drip(peer, stop):
    read_request(peer)
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
        peer.sendall(bytes([byte]))
        if stop.wait(0.1):
            return


def slow(peer, stop):
    read_request(peer)
    stop.wait(0.4)
    peer.sendall(reply(b"200 OK", b"late"))


def endless(peer, stop):
    read_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    while not stop.is_set():
        peer.sendall(chunk)


def greet_slowly(banner):
    def serve(peer, stop):
        for byte in banner:
            peer.sendall(bytes([byte]))
            if stop.wait(0.1):
                return

    return serve


def greet(banner):
    def serve(peer, stop):
        peer.sendall(banner)
        read_request(peer)

    return serve


PART = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100

SCENARIOS = {
    "ok": after_request(reply(b"200 OK", b"fine")),
    "fin": after_request(b""),
    "rst": after_request(b"", "rst"),
    "hang": after_request(b"", "hang"),
    "accept_and_reset": lambda peer, stop: reset(peer),
    "drip": drip,
    "slow": slow,
    "endless": endless,
    "partial_headers_fin": after_request(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"),
    "partial_headers_rst": after_request(b"HTTP/1.1 200 OK\r\nX-A: b\r\n", "rst"),
    "body_short_fin": after_request(PART),
    "body_short_rst": after_request(PART, "rst"),
    "body_stall": after_request(PART, "hang"),
    "chunk_truncated": after_request(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"
    ),
    "chunk_invalid": after_request(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n"
    ),
    "bad_content_length": after_request(b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nx"),
    "nul_in_header": after_request(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n"),
    "ssh_banner": greet(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "binary": after_request(bytes(range(1, 255))),
    "huge_header": after_request(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 400_000 + b"\r\n\r\n"),
    "many_headers": after_request(
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000 + b"Content-Length: 0\r\n\r\n"
    ),
    "continue_then_hang": after_request(b"HTTP/1.1 100 Continue\r\n\r\n", "hang"),
    "redirect_loop": after_request(reply(b"302 Found", headers=b"Location: /again\r\n")),
    "plain_http_to_tls": after_request(
        reply(b"400 Bad Request", b"The plain HTTP request was sent to HTTPS port")
    ),
    **{
        f"status_{code}": after_request(reply(b"%d Status" % code, b"body"))
        for code in (204, 301, 404, 429, 500, 502, 503, 504)
    },
}


def tls_alert(peer, stop):
    peer.recv(4096)
    peer.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure


def tls_close(peer, stop):
    peer.recv(4096)


def tls_reset(peer, stop):
    peer.recv(4096)
    reset(peer)


def plain_answer(peer, stop):
    peer.recv(4096)
    peer.sendall(reply(b"400 Bad Request"))


RAW_TLS = {"plain_answer": plain_answer, "tls_hang": hang, "tls_alert": tls_alert, "tls_close": tls_close, "tls_reset": tls_reset}


def tls_context(certificate, key, client_ca=None, version=None, clients=ssl.CERT_REQUIRED):
    """A server's; with `client_ca` it asks for certificates of that authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.verify_mode = clients
        context.load_verify_locations(client_ca)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def over_tls(context, serve):
    """Runs `serve` on what a handshake makes of a connection."""
    def secured(peer, stop):
        with contextlib.suppress(ssl.SSLError, OSError):
            with context.wrap_socket(peer, server_side=True) as secure:
                serve(secure, stop)

    return secured


def tls_server(certificate, key, client_ca=None, version=None, requests=None):
    def serve(peer, stop):
        request = read_request(peer)
        if requests is not None and request:
            requests.append(request)
        peer.sendall(reply(b"200 OK", b"secure"))

    return over_tls(tls_context(certificate, key, client_ca, version), serve)


@contextlib.contextmanager
def serving(scenario, family=socket.AF_INET, address=("127.0.0.1", 0)):
    """Runs one scenario (a name or a function) for every connection; yields the bound address."""
    serve = (SCENARIOS | RAW_TLS)[scenario] if isinstance(scenario, str) else scenario
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen(64)
    stop = threading.Event()

    def one(peer):
        with contextlib.suppress(OSError), peer:
            serve(peer, stop)

    def accept():
        while not stop.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def full_backlog():
    """A listener that accepts nothing and whose queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            filler.connect(listener.getsockname())
        fillers.append(filler)
    time.sleep(0.1)
    try:
        yield listener.getsockname()
    finally:
        for filler in fillers:
            filler.close()
        listener.close()
