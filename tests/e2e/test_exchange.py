# SPDX-License-Identifier: Apache-2.0
"""What is said to a TCP service and what it answers: real Redis, and servers that fail on purpose."""
import contextlib
import json
import socket
import struct
import subprocess
import threading

import pytest

from tests.lab import agent
from tests.lab.processes import listening, need, process

PING = "[upstream.tcp]\nexchange = [{ send = \"PING\\r\\n\", expect = '^\\+PONG\\r\\n' }]"
MAIL = """[upstream.tcp]
exchange = [{ expect = '^220 .*\\r\\n' }, { send = "EHLO probe\\r\\n", expect = '(?m)^250 .*\\r\\n' },
            { send = "QUIT\\r\\n", expect = '^221 ' }]"""


def results(running, count):
    """{upstream: class of the last result}, once there are so many."""
    listed = subprocess.run([agent.binary(), "explain", "--all", "--json"], capture_output=True,
                            text=True, check=True).stdout
    classes = {one["code"]: one["name"] for one in json.loads(listed)} | {0: "none"}
    found = {}

    def all_there(a):
        codes = a.metrics().get("upstream_probe_result_code", [])
        found.update({labels["upstream"]: classes[code] for labels, code in codes})
        return len(found) == count

    running.wait_for(all_there)
    return found


@contextlib.contextmanager
def server(behave):
    """Runs `behave(connection)` for each connection; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection):
            with contextlib.suppress(OSError), connection:
                behave(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def silent(connection):
    while connection.recv(1000):
        pass


def closing(connection):
    connection.recv(1000)


def resetting(connection):
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def wrong(connection):
    connection.recv(1000)
    connection.sendall(b"-NOAUTH Authentication required.\r\n")
    silent(connection)


def dripping(connection):
    connection.recv(1000)
    for byte in b"+PONG\r\n":
        connection.sendall(bytes([byte]))


def flooding(connection):
    while True:
        connection.sendall(b"x" * 10000)


def tls(connection):
    connection.recv(1000)
    connection.sendall(bytes([0x15, 3, 1, 0, 2, 2, 70]))


def mail(connection):
    connection.sendall(b"220 mail.example ESMTP\r\n")
    assert connection.recv(1000) == b"EHLO probe\r\n"
    connection.sendall(b"250-mail.example\r\n250-PIPELINING\r\n250 HELP\r\n")
    assert connection.recv(1000) == b"QUIT\r\n"
    connection.sendall(b"221 bye\r\n")


CASES = {
    "drips": (dripping, PING, "none"),
    "mail": (mail, MAIL, "none"),
    "silent": (silent, PING, "response_timeout"),
    "closing": (closing, PING, "closed_before_headers"),
    "resetting": (resetting, PING, "reset_before_headers"),
    "wrong": (wrong, PING, "content_mismatch"),
    "flood": (flooding, PING, "content_mismatch"),
    "tls": (tls, PING, "protocol_mismatch"),
    "no mail": (wrong, MAIL, "response_timeout"),
}


def test_each_way_to_answer_has_its_class(tmp_path):
    with contextlib.ExitStack() as stack:
        config = ""
        for name, (behave, options, _) in CASES.items():
            port = stack.enter_context(server(behave))
            config += agent.upstream(name, f"tcp://127.0.0.1:{port}", options)
        running = stack.enter_context(agent.running(config, tmp_path))
        assert results(running, len(CASES)) == {name: wanted for name, (_, _, wanted) in CASES.items()}


@pytest.mark.parametrize("password", [None, "secret"])
def test_redis(tmp_path, password):
    need("redis-server")
    port = agent.free_port()
    path = tmp_path / "redis.sock"
    more = ["--requirepass", password] if password else []
    with process("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                 "--unixsocket", str(path), "--dir", str(tmp_path), *more):
        listening(port)
        config = (agent.upstream("tcp", f"tcp://127.0.0.1:{port}", PING)
                  + agent.upstream("unix", f"tcp+unix://{path}", PING))
        with agent.running(config, tmp_path) as running:
            wanted = "content_mismatch" if password else "none"
            assert results(running, 2) == {"tcp": wanted, "unix": wanted}
