# SPDX-License-Identifier: Apache-2.0
"""http.version against nginx, Node and servers that break HTTP/2 on purpose."""
import ssl

import pytest

from tests.lab import agent, certs, hostile, http2
from tests.lab.processes import listening, need, nginx_serving, node


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return certs.make(tmp_path_factory.mktemp("pki"))


NODE = """
const fs = require('fs'), http2 = require('http2');
const [port, pki, kind] = process.argv.slice(2);
const tls = {key: fs.readFileSync(pki + '/good.key'), cert: fs.readFileSync(pki + '/good.pem')};
const answer = (request, response) => { response.setHeader('x-spoken', request.httpVersion);
                                        response.end('node ' + request.headers[':authority']); };
const server = kind == 'plain' ? http2.createServer(answer)
                               : http2.createSecureServer({...tls, allowHTTP1: kind == 'both'}, answer);
server.listen(+port, '127.0.0.1');
"""

SERVERS = ["nginx-h2", "nginx-h1", "nginx-plain-h2", "nginx-plain-h1", "node-h2", "node-both",
           "node-plain-h2"]


@pytest.fixture(scope="module")
def servers(pki, tmp_path_factory):
    """Their URLs by name."""
    need("nginx", "node")
    folder = tmp_path_factory.mktemp("servers")
    ports = {name: agent.free_port() for name in SERVERS}

    def server(name, listen):
        tls = ("" if "plain" in name else
               f"ssl_certificate {pki}/good.pem; ssl_certificate_key {pki}/good.key;")
        return (f"server {{ listen 127.0.0.1:{ports[name]}{listen}; {tls}"
                ' location / { return 200 "$server_protocol"; }'
                " location /busy { return 503; } location /moved { return 302 /; } }\n")

    blocks = (server("nginx-h2", " ssl http2") + server("nginx-h1", " ssl") +
              server("nginx-plain-h2", " http2") + server("nginx-plain-h1", ""))
    folders = [tmp_path_factory.mktemp("node") for _ in range(3)]
    with nginx_serving(folder, blocks), \
            node(folders[0], NODE, str(ports["node-h2"]), str(pki), "h2", port=ports["node-h2"]), \
            node(folders[1], NODE, str(ports["node-both"]), str(pki), "both", port=ports["node-both"]), \
            node(folders[2], NODE, str(ports["node-plain-h2"]), str(pki), "plain",
                 port=ports["node-plain-h2"]):
        for port in ports.values():
            listening(port)
        yield {name: f"http{'' if 'plain' in name else 's'}://127.0.0.1:{port}/"
               for name, port in ports.items()}


def ask(url, version, pki, folder, more=""):
    tables = f'[upstream.http]\nversion = "{version}"\n{more}\n'
    if url.startswith("https:"):
        tables += f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n'
    return agent.probe_with(folder, url, tables)


SPOKEN = [
    ("nginx-h2", "auto", 2), ("nginx-h2", "2", 2), ("nginx-h2", "1.1", 1.1), ("nginx-h2", "1.0", 1.1),
    ("nginx-h1", "auto", 1.1), ("nginx-plain-h1", "auto", 1.1), ("nginx-plain-h1", "1.0", 1.1),
    ("nginx-plain-h2", "2-prior", 2), ("nginx-h2", "2-prior", 2),
    ("node-h2", "auto", 2), ("node-h2", "2", 2), ("node-both", "auto", 2), ("node-both", "1.1", 1.1),
    ("node-plain-h2", "2-prior", 2),
]


@pytest.mark.parametrize("server,version,spoken", SPOKEN)
def test_the_version_that_is_spoken(server, version, spoken, servers, pki, tmp_path):
    for _ in range(5):
        result = ask(servers[server], version, pki, tmp_path)
        assert (result["error_class"], result["http"]["version"]) == ("none", spoken), result
    assert {"request", "response_headers", "response_body"} <= set(result["timings"])


@pytest.mark.parametrize("version", ["1.0", "1.1", "2"])
def test_the_request_line_says_the_version(version, servers, pki, tmp_path):
    more = f'expect_body = "^HTTP/{"2.0" if version == "2" else version}$"'
    result = ask(servers["nginx-h2"], version, pki, tmp_path, more)
    assert result["error_class"] == "none", result


def test_host_and_body_and_headers_over_http_2(servers, pki, tmp_path):
    more = ('method = "POST"\nbody = "x"\nhost = "shop.example:81"\nheaders = { X-A = "1" }\n'
            'expect_body = "^node shop.example:81$"\nexpect_header = { X-Spoken = "^2.0$" }\n')
    tables = (f'[upstream.http]\nversion = "2"\n{more}'
              f'[upstream.tls]\nca_file = "{pki}/ca.pem"\nserver_name = "localhost"\n')
    result = agent.probe_with(tmp_path, servers["node-h2"], tables)
    assert result["error_class"] == "none", result
    for path, wanted in (("busy", "http_503"), ("moved", "none")):
        result = ask(servers["nginx-h2"] + path, "2", pki, tmp_path, "follow_redirects = true")
        assert (result["error_class"], result["http"]["version"]) == (wanted, 2), result


OTHER = [("nginx-h1", "2"), ("nginx-h1", "2-prior"), ("nginx-plain-h1", "2-prior"),
         ("nginx-plain-h2", "1.1"), ("node-h2", "1.1"), ("node-plain-h2", "1.1")]


@pytest.mark.parametrize("server,version", OTHER)
def test_a_server_that_does_not_speak_it(server, version, servers, pki, tmp_path):
    for _ in range(5):
        result = ask(servers[server], version, pki, tmp_path)
        assert (result["error_class"], result["phase"]) == ("protocol_mismatch", "protocol"), result
    if (server, version) == ("nginx-h1", "2"):
        assert (result["http"]["version"], result["detail"]) == (1.1, "not_http2")


def test_a_tls_port_that_is_spoken_to_by_prior_knowledge(servers, pki, tmp_path):
    url = servers["nginx-h2"].replace("https:", "http:")
    result = ask(url, "2-prior", pki, tmp_path)
    assert result["error_class"] == "protocol_mismatch", result


def test_the_version_is_a_metric(servers, pki, tmp_path):
    config = (agent.upstream("two", servers["nginx-h2"]) + f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n' +
              agent.upstream("one", servers["nginx-h1"], '[upstream.http]\nversion = "2"\n') +
              f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n')
    with agent.running(config, tmp_path) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="two") == 1)
        a.wait_for(lambda a: a.value("upstream_up", upstream="one") == 0)
        assert a.value("upstream_probe_http_version", upstream="two") == 2
        assert a.value("upstream_probe_http_version", upstream="one") == 1.1
        assert a.value("upstream_probe_result_code", upstream="one") == 33
        assert a.value("upstream_probe_http_status_code", upstream="one") == 200


OK = http2.frame(http2.HEADERS, http2.STATUS_200, http2.END_HEADERS, 1)
BREAKS = {
    "rst_stream": (http2.rst_stream(http2.INTERNAL_ERROR), "http2_error", "h2_2"),
    "refused_stream": (http2.rst_stream(http2.REFUSED_STREAM), "http2_error", "h2_7"),
    "calm": (http2.rst_stream(http2.ENHANCE_YOUR_CALM), "http2_error", "h2_11"),
    "http_1_1_required": (http2.rst_stream(http2.HTTP_1_1_REQUIRED), "http2_error", "h2_13"),
    "goaway_unprocessed": (http2.goaway(0, http2.NO_ERROR), "http2_error", ""),
    "goaway_error": (http2.goaway(0, http2.PROTOCOL_ERROR), "http2_error", "h2_1"),
    "goaway_error_later": (http2.goaway(1, http2.ENHANCE_YOUR_CALM), "http2_error", "h2_11"),
    "fin": (b"", "closed_before_headers", "fin"),
    "reset_in_the_body": (OK + http2.frame(http2.DATA, b"x" * 9, 0, 1) +
                          http2.rst_stream(http2.INTERNAL_ERROR), "http2_error", "h2_2"),
    "fin_in_the_body": (OK + http2.frame(http2.DATA, b"x" * 9, 0, 1), "body_truncated", None),
    "goaway_after_the_answer": (OK + http2.frame(http2.DATA, b"x", http2.END_STREAM, 1) +
                                http2.goaway(1, http2.NO_ERROR), "none", ""),
    "goaway_before_the_answer": (http2.goaway(1, http2.NO_ERROR) + OK +
                                 http2.frame(http2.DATA, b"x", http2.END_STREAM, 1), "none", ""),
}


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_http_2(name, tls, pki, tmp_path):
    frames, wanted, detail = BREAKS[name]
    requests, connections = [], []
    speak = http2.answering(frames, requests)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "good.pem", pki / "good.key")
    context.set_alpn_protocols(["h2"])

    def serve(peer, stop):
        connections.append(1)
        if not tls:
            return speak(peer, stop)
        with context.wrap_socket(peer, server_side=True) as secure:
            return speak(secure, stop)

    with hostile.serving(serve) as (host, port):
        url = f"{'https' if tls else 'http'}://{host}:{port}/"
        result = ask(url, "2" if tls else "2-prior", pki, tmp_path)
    # The second look at a connection that was closed is one of its own, without a request.
    looks = 1 if wanted == "closed_before_headers" and not tls else 0
    assert (len(requests), len(connections)) == (1, 1 + looks), "asked once, on one connection"
    assert result["error_class"] == wanted, result
    if detail is not None:
        assert result["detail"] == detail, result


def test_a_server_that_says_nothing_to_a_preface(pki, tmp_path):
    with hostile.serving("hang") as (host, port):
        result = ask(f"http://{host}:{port}/", "2-prior", pki, tmp_path)
    assert result["error_class"] == "response_timeout", result


def test_a_unix_socket_by_prior_knowledge(pki, tmp_path):
    need("nginx")
    path = tmp_path / "h2.sock"
    with nginx_serving(tmp_path, f'server {{ listen unix:{path} http2; return 200 "x"; }}'):
        for _ in range(200):
            if path.exists():
                break
        result = None
        for _ in range(50):
            result = ask(f"http+unix://{path}:/", "2-prior", pki, tmp_path)
            if result["error_class"] == "none":
                break
        assert (result["error_class"], result["http"]["version"]) == ("none", 2), result
