# SPDX-License-Identifier: Apache-2.0
"""[upstream.http] against real servers: what is asked, and what is expected of the answer."""
import json

import pytest

from tests.lab import agent, hostile
from tests.lab.processes import listening, need, nginx_serving, node

# Answers with what it was asked.
ECHO = """
const http = require('http');
http.createServer((request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    const asked = {method: request.method, url: request.url, headers: request.headers,
                   body: Buffer.concat(parts).toString()};
    require('fs').appendFileSync(process.argv[3], JSON.stringify(asked) + '\\n');
    response.end('done');
  });
}).listen(+process.argv[2], '127.0.0.1');
"""


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    """probe(http) -> result and what the server read."""
    need("node")
    folder = tmp_path_factory.mktemp("echo")
    port, log = agent.free_port(), folder / "asked"
    log.touch()

    def probe(http):
        log.write_text("")
        result = agent.probe_with(folder, f"http://127.0.0.1:{port}/x?y=1", "[upstream.http]\n" + http)
        return result, [json.loads(line) for line in log.read_text().splitlines()]

    with node(folder, ECHO, str(port), str(log), port=port):
        yield probe


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "PURGE"])
def test_a_body_arrives_as_written_with_any_method(method, echo):
    result, asked = echo(f'method = "{method}"\nbody = "{{\\"a\\": \\"\\u00e9\\n\\"}}"')
    assert result["error_class"] == "none", result
    assert len(asked) == 1, "one request a probe"
    assert (asked[0]["method"], asked[0]["url"]) == (method, "/x?y=1")
    assert asked[0]["body"] == '{"a": "é\n"}'
    assert asked[0]["headers"]["content-length"] == str(len('{"a": "é\n"}'.encode()))
    for unasked in ("content-type", "expect", "transfer-encoding"):
        assert unasked not in asked[0]["headers"], asked


def test_the_headers_say_what_a_body_is(echo):
    _, asked = echo('method = "POST"\nbody = "<a/>"\nheaders = { content-type = "text/xml" }')
    assert asked[0]["headers"]["content-type"] == "text/xml"


@pytest.mark.parametrize("size", [4096, 900_000])
def test_a_large_body_arrives_whole_without_a_question_first(size, echo):
    result, asked = echo(f'method = "PUT"\nbody = "{"x" * size}"')
    assert result["error_class"] == "none", result
    assert (len(asked[0]["body"]), "expect" in asked[0]["headers"]) == (size, False)


@pytest.mark.parametrize("method,length", [("POST", "0"), ("PUT", "0"), ("GET", None), ("HEAD", None),
                                           ("DELETE", None), ("TRACE", None), ("MKCOL", None)])
def test_a_method_without_a_body(method, length, echo):
    result, asked = echo(f'method = "{method}"\nhost = "shop.example:81"\n'
                         'headers = { X-Key = "1", Accept = "text/plain", X-Empty = "" }')
    assert (result["error_class"], result["http"]["status_code"]) == ("none", 200), result
    headers = asked[0]["headers"]
    assert (asked[0]["method"], headers.get("content-length")) == (method, length)
    assert (headers["host"], headers["x-key"], headers["accept"], headers["x-empty"]) == (
        "shop.example:81", "1", "text/plain", "")
    assert headers["connection"] == "close"
    assert headers["user-agent"].startswith("upstream-agent/")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """probe(path, http) against nginx."""
    need("nginx")
    folder, port = tmp_path_factory.mktemp("site"), agent.free_port()
    servers = (f"server {{ listen 127.0.0.1:{port};"
               ' location /json { default_type application/json; add_header X-Node "n1" always;'
               ' add_header X-Node "n2" always; return 200 "{\\"status\\": \\"up\\"}"; }'
               ' location /sorry { return 200 "Down for Maintenance"; }'
               ' location /gone { add_header X-Node "n1" always; return 503 "Down for Maintenance"; } }')

    def probe(path, http):
        return agent.probe_with(folder, f"http://127.0.0.1:{port}{path}", "[upstream.http]\n" + http)

    with nginx_serving(folder, servers):
        listening(port)
        yield probe


@pytest.mark.parametrize("path,http,wanted", [
    ("/json", 'expect_header = { content-TYPE = "^application/json$" }', ("none", "")),
    ("/json", 'expect_header = { X-Node = "^n1$", Server = "^nginx/" }', ("none", "")),
    ("/json", 'expect_header = { X-Node = "^n2$" }', ("none", "")),
    ("/json", 'expect_header = { X-Node = "n3" }', ("content_mismatch", "expect_header")),
    ("/json", 'expect_header = { Server = "nginx", X-Absent = "" }',
     ("content_mismatch", "expect_header")),
    ("/json", 'method = "HEAD"\nexpect_header = { X-Node = "n1" }', ("none", "")),
    ("/json", "expect_body = '\"status\": \"up\"'\nreject_body = \"(?i)maintenance\"", ("none", "")),
    ("/sorry", 'reject_body = "(?i)maintenance"', ("content_mismatch", "reject_body")),
    ("/sorry", 'expect_body = "up"\nreject_body = "Maintenance"', ("content_mismatch", "reject_body")),
    ("/sorry", 'expect_body = "up"\nreject_body = "maintenance"', ("content_mismatch", "expect_body")),
    # The status comes first.
    ("/gone", 'reject_body = "Down"\nexpect_header = { X-Absent = "" }', ("http_503", "status_503")),
    ("/gone", 'expect_status = 503\nreject_body = "Down"', ("content_mismatch", "reject_body")),
])
def test_expectations(path, http, wanted, site):
    result = site(path, http)
    assert (result["error_class"], result["detail"]) == wanted, result
    assert result["phase"] == {"none": None, "content_mismatch": "content",
                               "http_503": "http_status"}[wanted[0]]


def test_the_message_says_which_header(site):
    assert "no header 'X-Absent'" in site("/json", 'expect_header = { X-Absent = "" }')["message"]
    wrong = site("/json", 'expect_header = { X-Node = "n3" }')["message"]
    assert "'X-Node' does not match" in wrong


@pytest.mark.parametrize("option", ['reject_body = "a[ab]{900}c"', 'expect_body = "a[ab]{900}c"'])
def test_a_long_match_does_not_outlast_the_deadline(option, tmp_path):
    body = b"ab" * (512 * 1024)
    with hostile.serving(hostile.after_request(hostile.reply(b"200 OK", body))) as (host, port):
        result = agent.probe_with(tmp_path, f"http://{host}:{port}/", "[upstream.http]\n" + option)
    assert result["timings"]["total"] < 2.5, result
    # Where it is done in time, the pattern is not in the body.
    in_time = "none" if option.startswith("reject") else "content_mismatch"
    assert result["error_class"] in ("local_resources_exhausted", in_time), result
    if result["error_class"] == "local_resources_exhausted":
        assert result["detail"] == "patterns"


def test_a_short_body_is_matched_whole_by_the_worker_too(tmp_path):
    """More steps than the loop does, few enough to end: all patterns count."""
    body = b"ab" * 2000 + b"MAINTENANCE"
    more = ('[upstream.http]\nexpect_body = "a[ab]{300}"\nexpect_header = { X-Long = "^x+$" }\n'
            'reject_body = "(?i)maintenance"\n')
    reply = hostile.reply(b"200 OK", body, b"X-Long: " + b"x" * 20000 + b"\r\n")
    with hostile.serving(hostile.after_request(reply)) as (host, port):
        result = agent.probe_with(tmp_path, f"http://{host}:{port}/", more)
        assert (result["error_class"], result["detail"]) == ("content_mismatch", "reject_body"), result
        result = agent.probe_with(tmp_path, f"http://{host}:{port}/", more.replace("maint", "absent"))
        assert result["error_class"] == "none", result
        result = agent.probe_with(tmp_path, f"http://{host}:{port}/", more.replace("^x+$", "^y"))
        assert (result["error_class"], result["detail"]) == (
            "content_mismatch", "expect_header"), result


def read_whole(peer):
    request = hostile.read_request(peer)
    length = [line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    head, _, body = request.partition(b"\r\n\r\n")
    while length and len(body) < int(length[0].split(b":")[1]):
        body += peer.recv(4096)
    return head + b"\r\n\r\n" + body


@pytest.mark.parametrize("status,same_origin,again", [
    (303, True, b"GET /next"), (302, True, b"GET /next"), (301, False, b"GET /next"),
    (307, True, b"POST /next"), (308, True, b"POST /next"), (307, False, None)])
def test_a_body_and_a_redirect(status, same_origin, again, tmp_path):
    there, here = [], []

    def other_server(peer, stop):
        there.append(read_whole(peer))
        peer.sendall(hostile.reply(b"200 OK", b"there"))

    with hostile.serving(other_server) as (_, other):
        where = b"/next" if same_origin else b"http://127.0.0.1:%d/next" % other

        def serve(peer, stop):
            here.append(read_whole(peer))
            moved = hostile.reply(b"%d Moved" % status, headers=b"Location: " + where + b"\r\n")
            peer.sendall(moved if len(here) == 1 else hostile.reply(b"200 OK", b"here"))

        with hostile.serving(serve) as (host, port):
            result = agent.probe_with(
                tmp_path, f"http://{host}:{port}/",
                '[upstream.http]\nmethod = "POST"\nbody = "s3cret"\nfollow_redirects = true\n'
                'headers = { Content-Type = "text/x-own" }\n')
    assert here[0].endswith(b"\r\n\r\ns3cret")
    if again is None:
        assert (result["error_class"], result["detail"]) == ("content_mismatch", "redirect"), result
        assert "send the request's body to another server" in result["message"]
        assert there == []
        return
    assert result["error_class"] == "none", result
    last = (here[1:] + there)[0]
    assert last.startswith(again)
    kept = again.startswith(b"POST")
    assert (b"s3cret" in last, b"text/x-own" in last) == (kept, kept), last
    assert (b"content-length" in last.lower()) == kept, last
