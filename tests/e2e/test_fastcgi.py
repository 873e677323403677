# SPDX-License-Identifier: Apache-2.0
"""FastCGI probes of a real PHP-FPM that is busy, broken, killed or not there, and of hostile peers."""
import contextlib
import os
import signal
import socket
import struct
import threading
import time

import pytest

from tests.lab import agent
from tests.lab.processes import need, process

SCRIPTS = {
    "ok.php": "<?php header('Content-Type: text/plain'); echo 'ready ' . ($_SERVER['APP_ENV'] ?? '')"
              " . ' ' . ($_GET['q'] ?? '') . ' ' . $_SERVER['REQUEST_METHOD'];",
    "fatal.php": "<?php throw new RuntimeException('no database');",
    "limit.php": "<?php set_time_limit(1); while (true) { }",
    "sleep.php": "<?php sleep(30);",
    "segv.php": "<?php posix_kill(getmypid(), 11); sleep(5);",
    "half.php": "<?php header('Content-Type: text/plain'); echo str_repeat('x', 5000); flush();"
                " posix_kill(getmypid(), 9); sleep(5);",
    "stall.php": "<?php echo str_repeat('x', 5000); flush(); sleep(30);",
    "unavailable.php": "<?php http_response_code(503);",
    "moved.php": "<?php header('Location: /elsewhere');",
    "big.php": "<?php header('X-Big: ' . str_repeat('a', 70000)); echo 'x';",
}


def script_probes():
    """Path or script, class, detail, part of the message."""
    return [
        ("/ok.php", "none", "", ""),
        ("/moved.php", "none", "", ""),
        ("/missing.php", "http_4xx", "status_404", "Primary script unknown"),
        ("/fatal.php", "http_5xx", "status_500", "no database"),
        ("/limit.php", "worker_timeout", "status_500", "Maximum execution time of 1 second"),
        ("/unavailable.php", "http_503", "status_503", ""),
        ("/segv.php", "reset_before_headers", "rst", ""),
        ("/half.php", "body_truncated", "rst", ""),
        ("/stall.php", "body_timeout", "", ""),
        ("/big.php", "headers_too_large", "over_64KiB_or_200_lines", ""),
        ("/secret.txt", "http_4xx", "status_403", "Access to the script"),
    ]


class Fpm:
    def __init__(self, child, folder):
        self.child, self.folder, self.socket = child, folder, folder / "fpm.sock"

    def url(self, path):
        return f"fastcgi+unix://{self.socket}:{path}"

    def workers(self):
        children = f"/proc/{self.child.pid}/task/{self.child.pid}/children"
        with open(children, encoding="utf-8") as file:
            return [int(pid) for pid in file.read().split()]


@contextlib.contextmanager
def php_fpm(folder, listen=None, more="", children=4):
    """PHP-FPM with one pool of `children` workers; listens on fpm.sock unless told otherwise."""
    need("php-fpm8.2")
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    (folder / "secret.txt").write_text("x")
    (folder / "fpm.conf").write_text(
        f"[global]\nerror_log = {folder}/fpm.log\ndaemonize = no\n"
        f"[www]\nuser = root\ngroup = root\nlisten = {listen or folder / 'fpm.sock'}\n"
        f"pm = static\npm.max_children = {children}\nping.path = /ping\nping.response = pong\n"
        f"pm.status_path = /status\nphp_admin_value[opcache.enable] = 0\n{more}\n")
    with process("php-fpm8.2", "-R", "-y", str(folder / "fpm.conf")) as child:
        fpm = Fpm(child, folder)
        for _ in range(200):
            if listen is None and fpm.socket.exists() and len(fpm.workers()) == children:
                break
            if listen is not None and len(fpm.workers()) == children:
                break
            time.sleep(0.05)
        else:
            raise AssertionError((folder / "fpm.log").read_text())
        yield fpm


@pytest.fixture(scope="module")
def fpm(tmp_path_factory):
    with php_fpm(tmp_path_factory.mktemp("fpm")) as running:
        yield running


def found(result):
    return result["error_class"], result["detail"]


def test_ping_and_status_are_well(fpm):
    result, status = agent.probe(fpm.url("/ping"))
    assert (status, found(result)) == (0, ("none", ""))
    assert result["http"] == {"status_code": 200, "version": 0, "body_bytes": 4, "redirects": 0}
    assert set(result["timings"]) == {"connect", "request", "response_headers", "response_body",
                                      "total"}
    result, status = agent.probe(fpm.url("/status?json"))
    assert (status, found(result)) == (0, ("none", ""))


@pytest.mark.parametrize("script,error_class,detail,message", script_probes())
def test_each_fault_of_a_script_has_its_class(fpm, tmp_path, script, error_class, detail, message):
    result = agent.probe_with(tmp_path, fpm.url(script),
                              f'[upstream.fastcgi]\nscript_filename = "{fpm.folder}{script}"')
    assert found(result) == (error_class, detail), result
    assert message in result["message"], result
    assert result["timings"]["total"] < 2.25


def test_what_is_asked_and_expected(fpm, tmp_path):
    options = (f'[upstream.fastcgi]\nscript_filename = "{fpm.folder}/ok.php"\nmethod = "POST"\n'
               'params = { APP_ENV = "prod" }\nexpect_header = { Content-Type = "^text/plain" }\n')
    result = agent.probe_with(tmp_path, fpm.url("/any?q=7"), options +
                              'expect_body = "^ready prod 7 POST$"\n')
    assert found(result) == ("none", ""), result
    for wrong, detail in [('expect_body = "^pong"', "expect_body"), ('reject_body = "prod"', "reject_body"),
                          ('expect_status = 204', "status_200")]:
        result = agent.probe_with(tmp_path, fpm.url("/any?q=7"), options + wrong)
        assert found(result) == ("content_mismatch", detail), result
    result = agent.probe_with(tmp_path, fpm.url("/ping"), '[upstream.fastcgi]\nexpect_body = "^pong$"')
    assert found(result) == ("none", "")


def test_a_pool_whose_workers_are_all_busy(tmp_path):
    port = agent.free_port()
    with php_fpm(tmp_path, listen=f"127.0.0.1:{port}", children=1, more="listen.backlog = 1") as fpm, \
            contextlib.ExitStack() as held:
        url = f"fastcgi://127.0.0.1:{port}/ping"
        assert agent.probe(url)[0]["error_class"] == "none"

        def hold():
            """Occupies a worker, or a place in the queue."""
            s = held.enter_context(socket.socket())
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            time.sleep(0.2)
            with contextlib.suppress(OSError):
                s.send(begin_only(fpm))

        hold()
        result, _ = agent.probe(url, timeout="1s")
        assert found(result) == ("response_timeout", "not_accepting"), result
        for _ in range(4):
            hold()
        result, _ = agent.probe(url, timeout="1s")
        assert found(result)[0] == "listen_queue_full", result


def begin_only(fpm):
    """A request for the script that sleeps."""
    def pair(key, value):
        return struct.pack(">BB", len(key), len(value)) + key.encode() + value.encode()

    params = (pair("SCRIPT_FILENAME", f"{fpm.folder}/sleep.php") + pair("REQUEST_METHOD", "GET") +
              pair("SCRIPT_NAME", "/sleep.php"))

    def record(kind, content):
        return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content

    return (record(1, struct.pack(">HB5x", 1, 0)) + record(4, params) + record(4, b"") + record(5, b""))


def test_a_worker_that_is_killed_while_it_serves_the_probe(tmp_path):
    with php_fpm(tmp_path, children=1) as fpm:
        def kill():
            time.sleep(0.7)
            os.kill(fpm.workers()[0], signal.SIGKILL)

        threading.Thread(target=kill).start()
        result = agent.probe_with(tmp_path, fpm.url("/sleep.php"),
                                  f'[upstream.fastcgi]\nscript_filename = "{fpm.folder}/sleep.php"')
        assert found(result) == ("reset_before_headers", "rst"), result


def test_request_terminate_timeout_ends_the_connection(tmp_path):
    with php_fpm(tmp_path, more="request_terminate_timeout = 1s") as fpm:
        result = agent.probe_with(tmp_path, fpm.url("/sleep.php"),
                                  f'[upstream.fastcgi]\nscript_filename = "{fpm.folder}/sleep.php"',
                                  more='interval = "15s"')
        assert found(result) == ("reset_before_headers", "rst"), result


def test_a_socket_that_the_agent_may_not_open(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can become someone else")
    os.chmod(tmp_path, 0o755)
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/"):
            os.chmod(folder, 0o755)
    with php_fpm(tmp_path, more="listen.mode = 0600") as fpm:
        result, status = agent.probe(fpm.url("/ping"), prefix=("setpriv", "--reuid=65534", "--clear-groups"))
        assert (status, found(result)) == (1, ("permission_denied", "errno_13")), result


def test_a_socket_without_a_server(tmp_path):
    with php_fpm(tmp_path) as fpm:
        url = fpm.url("/ping")
    result, _ = agent.probe(url)
    assert result["error_class"] == "connect_refused", result


@contextlib.contextmanager
def peer(answer, reset=False):
    """Reads the request, sends these bytes and closes; yields the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.recv(65536)
                    connection.sendall(answer)
                    if reset:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              struct.pack("ii", 1, 0))
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"fastcgi://127.0.0.1:{listener.getsockname()[1]}/ping"


END = bytes([1, 3, 0, 1, 0, 8, 0, 0]) + bytes(8)
HEADERS = bytes([1, 6, 0, 1, 0, 8, 0, 0]) + b"A: b\r\n\r\n"


@pytest.mark.parametrize("answer,reset,error_class,detail", [
    (b"", False, "closed_before_headers", "fin"),
    (b"", True, "reset_before_headers", "rst"),
    (HEADERS, False, "body_truncated", "fin"),
    (HEADERS[:10], False, "closed_before_headers", "fin,partial_answer"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "protocol_mismatch", "not_fastcgi"),
    (b"SSH-2.0-OpenSSH\r\n", False, "protocol_mismatch", "not_fastcgi"),
    (END, False, "invalid_response", "no_headers"),
    (END[:12] + b"\x02" + END[13:], False, "pool_exhausted", "overloaded"),
    (HEADERS + END, False, "none", ""),
])
def test_what_other_peers_answer(answer, reset, error_class, detail):
    with peer(answer, reset) as url:
        result, _ = agent.probe(url)
        assert found(result) == (error_class, detail), result


def test_the_series_of_a_fastcgi_target(fpm, tmp_path):
    config = agent.upstream("php", fpm.url("/ping"))
    with agent.running(config, tmp_path) as running:
        running.wait_for(lambda a: a.value("upstream_up", upstream="php") == 1)
        assert running.value("upstream_probe_http_status_code", upstream="php") == 200
        assert running.value("upstream_probe_response_bytes", upstream="php") == 4
        assert running.value("upstream_info", upstream="php", type="fastcgi") == 1
        assert running.value("upstream_probe_last_duration_seconds", upstream="php",
                             phase="response_headers") is not None
        born = {labels["error_class"] for labels, value in
                running.metrics()["upstream_probe_errors_total"]}
        assert born == {"permission_denied", "connect_refused", "listen_queue_full", "response_timeout",
                        "reset_before_headers", "http_4xx", "http_5xx", "http_503"}
