# SPDX-License-Identifier: Apache-2.0
"""http.proxy_url through tinyproxy and through proxies that fail on purpose."""
import base64
import contextlib

import pytest

from tests.lab import agent, certs, hostile
from tests.lab.processes import listening, need, nginx_serving, process


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return certs.clients(certs.make(tmp_path_factory.mktemp("pki")))


@contextlib.contextmanager
def tinyproxy(folder, more=""):
    """Its port."""
    need("tinyproxy")
    port, conf = agent.free_port(), folder / "tinyproxy.conf"
    conf.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 5\nAllow 127.0.0.1\n"
                    f'LogFile "{folder}/tinyproxy.log"\nLogLevel Connect\n{more}\n')
    with process("tinyproxy", "-d", "-c", str(conf)):
        listening(port)
        yield port


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    with tinyproxy(tmp_path_factory.mktemp("open")) as port:
        yield port


def recording(answer, requests):
    def serve(peer, stop):
        requests.append(hostile.read_request(peer))
        peer.sendall(answer)

    return serve


def through(port, http="", tls="", host="127.0.0.1"):
    return f'[upstream.http]\nproxy_url = "http://{host}:{port}"\n{http}\n{tls}'


def trusting(pki, more=""):
    return f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n{more}\n'


def test_plain_http_through_a_proxy(proxy, tmp_path):
    requests = []
    with hostile.serving(recording(hostile.reply(b"200 OK", b"ready"), requests)) as (_, port):
        result = agent.probe_with(tmp_path, f"http://localhost:{port}/x?y=1",
                                  through(proxy, 'expect_body = "ready"\nheaders = { X-Key = "k" }'))
    assert (result["error_class"], result["address"]) == ("none", f"127.0.0.1:{proxy}"), result
    assert result["proxy"] == f"http://127.0.0.1:{proxy}"
    assert "dns" not in result["timings"], "the proxy resolves the target's name"
    assert requests[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n")
    assert b"localhost:%d" % port in requests[0] and b"X-Key: k" in requests[0]
    assert b"(tinyproxy/" in requests[0], "it came through the proxy"


@pytest.mark.parametrize("version", ["auto", "1.1", "2"])
def test_https_through_a_tunnel(version, proxy, pki, tmp_path):
    need("nginx")
    port = agent.free_port()
    block = (f"server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {pki}/good.pem;"
             f" ssl_certificate_key {pki}/good.key; ssl_client_certificate {pki}/ca.pem;"
             ' ssl_verify_client on; location / { return 200 "$ssl_client_s_dn $http_authorization"; } }')
    token = tmp_path / "token"
    token.write_text("t0ken")
    token.chmod(0o600)
    with nginx_serving(tmp_path, block):
        listening(port)
        tls = trusting(pki, f'cert_file = "{pki}/client.pem"\nkey_file = "{pki}/client.key"')
        http = f'version = "{version}"\nexpect_body = "^CN=client Bearer t0ken$"\n' \
               f'bearer_token_file = "{token}"'
        result = agent.probe_with(tmp_path, f"https://localhost:{port}/", through(proxy, http, tls))
    assert result["error_class"] == "none", result
    assert result["http"]["version"] == (1.1 if version == "1.1" else 2)
    assert result["tls"]["verified"]
    assert {"connect", "tls", "request", "response_headers", "response_body"} <= set(result["timings"])
    assert result["timings"]["connect"] + result["timings"]["tls"] < result["timings"]["total"]


def test_the_tunnel_leads_to_the_target_whatever_name_tls_asks_for(pki, tmp_path):
    requests = []
    with hostile.serving(recording(b"HTTP/1.1 403 Forbidden\r\n\r\n", requests)) as (_, port):
        for target in ("https://127.0.0.1:8443/", "https://[::1]:8443/"):
            agent.probe_with(tmp_path, target,
                             through(port, "", trusting(pki, 'server_name = "shop.example"')))
        agent.probe_with(tmp_path, "https://127.0.0.1:8443/", through(port, 'host = "shop.example"'))
    assert [request.split(b"\r\n")[0] for request in requests] == [
        b"CONNECT 127.0.0.1:8443 HTTP/1.1", b"CONNECT [::1]:8443 HTTP/1.1",
        b"CONNECT 127.0.0.1:8443 HTTP/1.1"]


def test_the_name_that_is_asked_for_inside_the_tunnel(proxy, pki, tmp_path):
    names = []
    context = hostile.tls_context(pki / "other_name.pem", pki / "other_name.key")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with hostile.serving(hostile.over_tls(context, hostile.SCENARIOS["ok"])) as (_, port):
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/",
                                  through(proxy, "", trusting(pki, 'server_name = "other.test"')))
        assert result["error_class"] == "none", result
        assert names == ["other.test"]
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/",
                                  through(proxy, "", trusting(pki)))
    # A chain or name that is wrong is the upstream's matter.
    assert (result["error_class"], result["proxy_failed"]) == ("tls_cert_name_mismatch", False), result


def test_an_expired_certificate_behind_a_proxy_keeps_its_facts(proxy, pki, tmp_path):
    serve = hostile.tls_server(pki / "expired.pem", pki / "expired.key")
    with hostile.serving(serve) as (_, port):
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/",
                                  through(proxy, "", trusting(pki)))
    assert (result["error_class"], result["proxy_failed"]) == ("tls_cert_expired", False), result
    assert result["tls"]["not_after_timestamp"] == 1609459200


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with tinyproxy(tmp_path_factory.mktemp("guarded"), "BasicAuth probe s3cret") as port:
        yield port


def password(folder, text):
    path = folder / "password"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return f'proxy_basic_auth = {{ username = "probe", password_file = "{path}" }}'


@pytest.mark.parametrize("tls", [False, True])
def test_credentials_of_the_proxy(tls, guarded, pki, tmp_path):
    requests = []
    serve = (hostile.tls_server(pki / "good.pem", pki / "good.key", requests=requests) if tls else
             recording(hostile.reply(b"200 OK"), requests))
    with hostile.serving(serve) as (_, port):
        def ask(http):
            return agent.probe_with(tmp_path, f"http{'s' if tls else ''}://127.0.0.1:{port}/",
                                    through(guarded, http, trusting(pki) if tls else ""))

        good = ask(password(tmp_path, "s3cret"))
        assert good["error_class"] == "none", good
        for http in ("", password(tmp_path, "wrong")):
            result = ask(http)
            if http and not tls:  # tinyproxy says 401 then, as an upstream may
                assert (result["error_class"], result["http"]["status_code"]) == ("http_4xx", 401)
                assert "may be the proxy's own" in result["message"]
                continue
            assert (result["error_class"], result["phase"], result["proxy_failed"]) == (
                "config_invalid", "local", True), result
            assert "http.proxy_basic_auth" in result["message"]
    assert len(requests) == 1
    assert b"authorization" not in requests[0].lower(), "they are for the proxy alone"


def test_what_a_proxy_is_told_of_a_tunnel(pki, tmp_path):
    """Neither the credentials for the target nor its headers."""
    token = tmp_path / "token"
    token.write_text("t0ken")
    token.chmod(0o600)
    requests = []
    http = (f'bearer_token_file = "{token}"\nheaders = {{ X-Api-Key = "k3y" }}\nmethod = "POST"\n'
            f'body = "b0dy"\nhost = "shop.example"\n{password(tmp_path, "s3%41+:/cret")}')
    with hostile.serving(recording(b"HTTP/1.1 403 Forbidden\r\n\r\n", requests)) as (_, port):
        result = agent.probe_with(tmp_path, "https://127.0.0.1:8443/", through(port, http))
    assert result["error_class"] == "config_invalid", result
    assert base64.b64encode(b"probe:s3%41+:/cret") in requests[0]
    for secret in (b"t0ken", b"k3y", b"b0dy", b"shop.example"):
        assert secret not in requests[0], requests


def test_a_proxy_that_is_down_is_not_the_upstream(tmp_path):
    closed = agent.free_port()
    for target in ("http://127.0.0.1:1/", "https://127.0.0.1:1/"):
        result = agent.probe_with(tmp_path, target, through(closed))
        assert (result["error_class"], result["phase"], result["proxy_failed"]) == (
            "connect_refused", "connect", True), result
        assert f":{closed}" in result["command"] and ":1'" not in result["command"], result["command"]
        assert result["second_look"] is None
    result = agent.probe_with(tmp_path, "http://127.0.0.1:1/", through(80, host="nowhere.invalid"))
    assert result["phase"] == "dns", result
    assert (result["proxy_failed"], result["proxy"]) == (True, "http://nowhere.invalid:80")


def test_an_upstream_that_is_down_is_not_the_proxy(proxy, tmp_path):
    closed = agent.free_port()
    result = agent.probe_with(tmp_path, f"https://127.0.0.1:{closed}/", through(proxy))
    assert (result["error_class"], result["proxy_failed"]) == ("http_gateway_error", False), result
    assert result["detail"] == "connect_500", result
    assert "does not reach the upstream" in result["message"]
    result = agent.probe_with(tmp_path, f"http://127.0.0.1:{closed}/", through(proxy))
    assert (result["phase"], result["proxy_failed"]) == ("http_status", False), result
    assert "may be the proxy's own" in result["message"]


FAILING = {
    "fin": ("closed_before_headers", True),
    "rst": ("reset_before_headers", True),
    "hang": ("response_timeout", False),
    "ssh_banner": ("protocol_mismatch", True),
    "huge_header": ("headers_too_large", True),
    "status_404": ("config_invalid", True),
    "status_429": ("rate_limited", True),
    "status_502": ("http_gateway_error", False),
    "status_503": ("http_gateway_error", False),
    "status_301": ("config_invalid", True),
}


@pytest.mark.parametrize("scenario", FAILING)
def test_a_proxy_that_fails_while_it_opens_a_tunnel(scenario, tmp_path):
    with hostile.serving(scenario) as (_, port):
        result = agent.probe_with(tmp_path, "https://127.0.0.1:1/", through(port))
    assert (result["error_class"], result["proxy_failed"]) == FAILING[scenario], result
    assert "tls" not in result["timings"]


def test_a_silent_upstream_behind_a_tunnel_is_a_matter_of_tls(proxy, tmp_path):
    with hostile.serving("hang") as (_, port):
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/", through(proxy))
    assert (result["error_class"], result["proxy_failed"]) == ("tls_timeout", False), result


def test_a_port_that_the_proxy_does_not_let_through_is_local_trouble(tmp_path):
    with hostile.serving("ok") as (_, port), tinyproxy(tmp_path, "ConnectPort 443") as proxy:
        config = agent.upstream("lab", f"https://127.0.0.1:{port}/", through(proxy))
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == 1)
            assert a.value("upstream_up", upstream="lab") is None
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/", through(proxy))
    assert (result["error_class"], result["detail"]) == ("config_invalid", "connect_403"), result
    assert "does not let this target through" in result["message"]


def test_a_redirect_goes_through_the_proxy_too(guarded, tmp_path):
    there, here = [], []
    with hostile.serving(recording(hostile.reply(b"200 OK"), there)) as (_, other):
        moved = hostile.reply(b"302 Found", headers=b"Location: http://localhost:%d/\r\n" % other)
        with hostile.serving(recording(moved, here)) as (_, port):
            result = agent.probe_with(
                tmp_path, f"http://127.0.0.1:{port}/",
                through(guarded, 'follow_redirects = true\nheaders = { X-Api-Key = "k3y" }\n' +
                        password(tmp_path, "s3cret")))
    assert (result["error_class"], result["http"]["redirects"]) == ("none", 1), result
    assert "dns" not in result["timings"]
    assert b"tinyproxy" in there[0] and b"k3y" in here[0] and b"k3y" not in there[0]
    assert b"authorization" not in (here[0] + there[0]).lower()
