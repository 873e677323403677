# SPDX-License-Identifier: Apache-2.0
"""A TCP service that is spoken to, and what is sent and never acknowledged."""
import subprocess

from tests.lab import hostile
from tests.lab.faults.connect import PORT, _listening
from tests.lab.faults.fault import ASKED, CONNECTED, READ, Stage, fault
from tests.lab.network import namespace

PING = '[upstream.tcp]\nexchange = [{ send = "PING\\r\\n", expect = "PONG" }]\n'


def _unacknowledged(url, tables):
    with namespace() as inside, _listening(inside):
        # The handshake passes, what carries data does not.
        subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", str(PORT),
                        "--tcp-flags", "PSH", "PSH", "-j", "DROP"], check=True)
        yield Stage(url, tables, prefix=tuple(inside))


@fault("request_unacked", "the request is lost on the way, over HTTP", CONNECTED)
def http_lost(site):
    yield from _unacknowledged(f"http://127.0.0.1:{PORT}/", "")


@fault("request_unacked", "what is sent to a TCP service is lost", CONNECTED, "tcp")
def tcp_lost(site):
    yield from _unacknowledged(f"tcp://127.0.0.1:{PORT}", PING)


def _says(answer, end="fin"):
    def serve(peer, stop):
        peer.recv(4096)
        peer.sendall(answer)
        if end == "rst":
            hostile.reset(peer)
        elif end == "hang":
            stop.wait(30)

    return serve


for _class, _timed, _name, _serve in [
    ("content_mismatch", READ, "a TCP service says something else", _says(b"-ERR\r\n", "hang")),
    ("response_timeout", ASKED, "a TCP service says nothing", _says(b"", "hang")),
    ("closed_before_headers", ASKED, "a TCP service closes instead of an answer", _says(b"")),
    ("reset_before_headers", ASKED, "a TCP service resets instead of an answer", _says(b"", "rst")),
]:
    def _stand(site, serve=_serve):
        with hostile.serving(serve) as (host, port):
            yield Stage(f"tcp://{host}:{port}", PING)

    fault(_class, _name, _timed, "tcp")(_stand)
