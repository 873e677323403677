# SPDX-License-Identifier: Apache-2.0
"""Servers that answer 204 and write down, a line of JSON each, where and how they were asked.

Arguments: certificate, key, file to write to. Standard input: where to listen, a line each, as
"address port" or "unix:/path". Each speaks HTTP, TLS where the first byte is TLS, and takes silence
for a connect. "ready" is written to standard output once all of them listen.
"""
import json
import os
import selectors
import socket
import ssl
import sys
import threading

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def listening(line):
    if line.startswith("unix:"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(line[len("unix:"):])
        os.chmod(line[len("unix:"):], 0o777)
    else:
        address, port = line.split()
        server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, int(port)))
        line = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    server.listen(64)
    return server, line


def request(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        part = peer.recv(4096)
        if not part:
            return None
        data += part
        if data[:4] not in (b"GET ", b"PRI "):
            return None  # another protocol than HTTP
    peer.sendall(ANSWER)
    first, *headers = data.decode("latin-1").split("\r\n")
    hosts = [line.split(":", 1)[1].strip() for line in headers if line.lower().startswith("host:")]
    return {"path": first.split(" ")[1], "host": ",".join(hosts)}


def talk(peer, what, certificate, key):
    """Adds to `what` all that is seen on this connection."""
    what["tls"] = peer.recv(1, socket.MSG_PEEK) == b"\x16"
    if what["tls"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda _socket, name, _context: what.update(sni=name or "")
        peer = context.wrap_socket(peer, server_side=True)
    what.update(request(peer) or {})


def main():
    certificate, key, output = sys.argv[1:]
    selector = selectors.DefaultSelector()
    for line in sys.stdin.read().splitlines():
        server, name = listening(line)
        selector.register(server, selectors.EVENT_READ, name)
    out = open(output, "a", encoding="utf-8")
    lock = threading.Lock()

    def serve(peer, name):
        what = {"at": name}
        with peer:
            peer.settimeout(5)
            try:
                talk(peer, what, certificate, key)
            except OSError:
                pass  # what was seen until then is written
        with lock:
            out.write(json.dumps(what) + "\n")
            out.flush()

    print("ready", flush=True)
    while True:
        for ready, _ in selector.select():
            peer, _ = ready.fileobj.accept()
            threading.Thread(target=serve, args=(peer, ready.data), daemon=True).start()


if __name__ == "__main__":
    main()
