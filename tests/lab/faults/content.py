# SPDX-License-Identifier: Apache-2.0
"""What a server answers over HTTP/1.1, and how it stops."""
import contextlib
import signal
import time

from tests.lab import agent, hostile
from tests.lab.faults.fault import ANSWERED, ASKED, READ, Stage, fault
from tests.lab.processes import listening, need, nginx, process

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def _drip_body(peer, stop):
    hostile.read_request(peer)
    peer.sendall(HEAD)
    while not stop.wait(0.1):
        peer.sendall(b"x")


def _endless_headers(peer, stop):
    hostile.read_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stop.is_set():
        peer.sendall(b"X-A: b\r\n" * 1000)


def _cut(peer, stop):
    hostile.read_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")


def _status(code, headers=b""):
    return hostile.after_request(hostile.reply(b"%d Status" % code, b"body", headers))


def _reset_unread(peer, stop):
    time.sleep(0.1)  # until the request is there
    hostile.reset(peer)


PLAIN = [
    ("closed_before_headers", "the server closes without an answer", ASKED, "fin"),
    ("closed_before_headers", "the server closes amid its headers", ASKED, "partial_headers_fin"),
    ("reset_before_headers", "the server resets without an answer", ASKED, "rst"),
    ("reset_before_headers", "the server resets without reading the request", ASKED, _reset_unread),
    ("reset_before_headers", "the server resets amid its headers", ASKED, "partial_headers_rst"),
    ("response_timeout", "the application does not answer", ASKED, "hang"),
    ("response_timeout", "the headers come byte by byte", ASKED, "drip"),
    ("response_timeout", "only 100 Continue comes", ASKED, "continue_then_hang"),
    ("invalid_response", "the length is no number", ASKED, "bad_content_length"),
    ("invalid_response", "there is a NUL in a header", ASKED, "nul_in_header"),
    ("invalid_response", "the size of a chunk is no number", ANSWERED, "chunk_invalid"),
    ("invalid_response", "the status line has no status", ASKED,
     hostile.after_request(b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n")),
    ("headers_too_large", "a header does not end", ASKED, "huge_header"),
    ("headers_too_large", "the headers do not end", ASKED, _endless_headers),
    ("body_truncated", "the server closes amid the body", ANSWERED, "body_short_fin"),
    ("body_truncated", "the server resets amid the body", ANSWERED, "body_short_rst"),
    ("body_truncated", "the server closes amid a chunk", ANSWERED, "chunk_truncated"),
    ("body_truncated", "the last chunk is missing", ANSWERED, _cut),
    ("body_timeout", "the body stalls", ANSWERED, "body_stall"),
    ("body_timeout", "the body comes byte by byte", ANSWERED, _drip_body),
    ("protocol_mismatch", "an SSH server is spoken to with HTTP", ASKED, "ssh_banner"),
    ("protocol_mismatch", "a binary protocol answers", ASKED, "binary"),
    ("protocol_mismatch", "a TLS port is spoken to without TLS", READ, "plain_http_to_tls"),
    ("http_4xx", "404 Not Found", READ, "status_404"),
    ("http_4xx", "401 Unauthorized", READ, _status(401)),
    ("http_5xx", "500 Internal Server Error", READ, "status_500"),
    ("http_5xx", "501 Not Implemented", READ, _status(501)),
    ("http_503", "503 Service Unavailable", READ, "status_503"),
    ("http_503", "503 with Retry-After", READ, _status(503, b"Retry-After: 5\r\n")),
    ("http_gateway_error", "502 Bad Gateway", READ, "status_502"),
    ("http_gateway_error", "504 Gateway Timeout", READ, "status_504"),
    ("rate_limited", "429 Too Many Requests", READ, "status_429"),
    ("rate_limited", "429 with Retry-After", READ, _status(429, b"Retry-After: 5\r\n")),
]

EXPECTED = [
    ("content_mismatch", "the body lacks what is expected", "ok",
     '[upstream.http]\nexpect_body = "absent"\n', ""),
    ("content_mismatch", "a header is missing", "ok",
     '[upstream.http]\nexpect_header = { X-App = "." }\n', ""),
    ("content_mismatch", "another status is expected", "ok", "[upstream.http]\nexpect_status = [204]\n", ""),
    ("content_mismatch", "redirects go round", "redirect_loop",
     "[upstream.http]\nfollow_redirects = true\n", ""),
    ("slow_response", "a right answer comes late", "slow", "", 'slow_threshold = "100ms"'),
]


def _answers(error_class, name, timed, scenario, tables="", keys=""):
    @fault(error_class, name, timed)
    def stand(site):
        with hostile.serving(scenario) as (host, port):
            yield Stage(f"http://{host}:{port}/", tables, keys)


for _row in PLAIN:
    _answers(*_row)
for _class, _name, _scenario, _tables, _keys in EXPECTED:
    _answers(_class, _name, READ, _scenario, _tables, _keys)


@contextlib.contextmanager
def _application(site):
    """A real process that serves this folder."""
    port = agent.free_port()
    with process("/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", str(port),
                 cwd=site.folder) as child:
        listening(port)
        yield child, port


@fault("response_timeout", "the application's process is stopped", ASKED)
def stopped(site):
    with _application(site) as (child, port):
        child.send_signal(signal.SIGSTOP)
        try:
            yield Stage(f"http://127.0.0.1:{port}/")
        finally:
            child.send_signal(signal.SIGCONT)


@fault("http_gateway_error", "nginx stands before an application that is gone", READ)
def nginx_alone(site):
    need("nginx")
    port = agent.free_port()
    with nginx(site.folder, port, agent.free_port()):
        listening(port)
        yield Stage(f"http://127.0.0.1:{port}/")


@fault("http_gateway_error", "nginx stands before an application that hangs", READ)
def nginx_waiting(site):
    need("nginx")
    port = agent.free_port()
    with hostile.serving("hang") as (_, behind), nginx(site.folder, port, behind):
        listening(port)
        yield Stage(f"http://127.0.0.1:{port}/", timeout=8)


def _late(peer, stop):
    hostile.read_request(peer)
    peer.sendall(HEAD)
    time.sleep(0.4)
    peer.sendall(b"x" * 1000)


_answers("slow_response", "the body of a right answer comes late", READ, _late, keys='slow_threshold = "100ms"')
