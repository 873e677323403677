# SPDX-License-Identifier: Apache-2.0
"""Users with a password, client certificates, and what they open to other machines."""
import base64
import concurrent.futures
import json
import re
import socket
import subprocess
import threading
import time

import pytest

from tests.lab import agent, secure
from tests.lab.network import namespace
from tests.lab.processes import need

REALM = 'WWW-Authenticate: Basic realm="upstream-agent", charset="UTF-8"'
BODY = "This agent asks for a user name and a password.\n"


def hashed(password, cost=4):
    return subprocess.run([agent.binary(), "hash-password", f"--cost={cost}"], input=password,
                          capture_output=True, check=True).stdout.decode().strip()


def users(**passwords):
    return "[web.basic_auth_users]\n" + "".join(
        f"{name} = \"{hashed(password.encode())}\"\n" for name, password in passwords.items())


@pytest.fixture(name="folder")
def with_certificates(tmp_path):
    need("curl", "openssl")
    return secure.certificates(tmp_path)


@pytest.fixture(name="plain")
def agent_with_users(tmp_path):
    need("curl")
    with secure.running(users(alice="se:cr et", bob="b"), tmp_path, "bob:b") as a:
        yield a


def ask(a, path="/metrics", *options):
    return a.curl(path, *options, scheme="http")


def basic(text):
    return "Authorization: Basic " + base64.b64encode(text).decode()


def test_everything_needs_a_password_once_there_are_users(plain):
    for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/config", "/api/v1/upstreams",
                 "/nowhere", "/-/reload"):
        for options in ((), ("-X", "POST"), ("-u", "alice:wrong"), ("-u", "carol:se:cr et")):
            code, body, _ = ask(plain, path, *options)
            assert (code, body) == (401, BODY), (path, options)
    headers = ask(plain, "/metrics", "-i", "-X", "HEAD", "-I")[1]
    assert REALM in headers
    for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/config", "/api/v1/upstreams"):
        assert ask(plain, path, "-u", "alice:se:cr et")[0] == 200, path
    assert ask(plain, "/nowhere", "-u", "alice:se:cr et")[0] == 404
    assert ask(plain, "/-/reload", "-u", "alice:se:cr et", "-X", "POST")[0] == 200
    assert subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
                           f"{plain.folder}/agent.sock", "http://a/metrics"],
                          capture_output=True, check=False).stdout == b"401"


@pytest.mark.parametrize("header, code", [
    (basic(b"alice:se:cr et"), 200),
    (basic(b"alice:se:cr et").replace("Basic", "bASIC"), 200),
    (basic(b"alice:se:cr et").replace("Basic ", "Basic   "), 200),
    (basic(b"alice:se:cr et") + "  ", 200),
    (basic(b"alice:se:cr et\0"), 401),
    (basic(b"alice:se:cr et "), 401),
    (basic(b"alice:"), 401),
    (basic(b":"), 401),
    (basic(b":se:cr et"), 401),
    (basic(b"alice"), 401),
    (basic(b"\xff\xfe:\xff"), 401),
    (basic(b"alice:" + b"x" * 20000), 401),
    (basic(b"alice:" + b"x" * 64000), 431),
    ("Authorization: Basic YWxpY2U6c2U6Y3IgZXQ", 401),
    ("Authorization: Basic !!!!", 401),
    ("Authorization: Basic", 401),
    ("Authorization: Bearer YWxpY2U6c2U6Y3IgZXQ=", 401),
    ("Authorization: Digest username=alice", 401),
    ("X: y", 401),
])
def test_headers(plain, header, code):
    status, body, _ = ask(plain, "/metrics", "-H", header)
    assert status == code
    assert code != 401 or body == BODY


def test_two_passwords_are_none(plain):
    good = basic(b"alice:se:cr et")
    assert ask(plain, "/metrics", "-H", good, "-H", "authorization: Basic YTpi")[0] == 400


def test_a_password_is_not_in_any_output(plain):
    canary = "CANARY-4711"
    ask(plain, "/metrics", "-u", f"{canary}:{canary}")
    ask(plain, "/metrics", "-H", f"Authorization: Basic {canary}")
    page = plain.local("/config")
    assert "alice = '<secret>'" in page and "$2b$" not in page
    everything = page + plain.local("/metrics") + plain.local("/") + plain.log()
    assert canary not in everything and "$2b$" not in everything


def test_another_password_is_in_force_with_the_answer_of_the_reload(plain):
    path = plain.folder / "agent.toml"
    assert ask(plain, "/metrics", "-u", "alice:se:cr et")[0] == 200
    path.write_text(users(alice="new", bob="b"))
    assert plain.post("/-/reload") == "Reloaded.\n"
    assert ask(plain, "/metrics", "-u", "alice:se:cr et")[0] == 401
    assert ask(plain, "/metrics", "-u", "alice:new")[0] == 200
    path.write_text(users(alice="new", bob="b") + 'carol = "secret"\n')
    said = plain.post("/-/reload")
    assert "'carol' needs the hash that upstream-agent hash-password prints" in said
    assert "secret" not in said and "secret" not in plain.log()
    assert ask(plain, "/metrics", "-u", "alice:new")[0] == 200
    path.write_text(users(bob="b"))
    assert plain.post("/-/reload") == "Reloaded.\n"
    assert ask(plain, "/metrics", "-u", "alice:new")[0] == 401
    path.write_text("# none\n")
    assert plain.post("/-/reload") == "Reloaded.\n"
    assert ask(plain)[0] == 200


def test_a_flood_of_passwords_neither_delays_nor_evicts_a_valid_login(tmp_path):
    """200 wrong ones at a time from many addresses; the hash takes what a real one takes."""
    need("curl")
    config = f'[web.basic_auth_users]\nalice = "{hashed(b"secret", 10)}"\n'
    with secure.running(config, tmp_path, "alice:secret", address="0.0.0.0:{port}") as a:
        assert ask(a, "/-/healthy", "-u", "alice:secret")[0] == 200
        stop, codes = threading.Event(), []

        def flood(i):
            number = 0
            while not stop.is_set():
                number += 1
                codes.append(a.curl("/metrics", "-u", f"alice:{i}-{number}", "--interface",
                                    f"127.0.1.{i}", scheme="http", host="127.0.0.1")[0])

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            for i in range(20):
                pool.submit(flood, i + 1)
            try:
                slowest = 0.0
                for _ in range(30):
                    done = subprocess.run(
                        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", "-u",
                         "alice:secret", f"http://127.0.0.1:{a.port}/-/healthy"],
                        capture_output=True, text=True, check=True).stdout.split()
                    assert done[0] == "200"
                    slowest = max(slowest, float(done[1]))
                    time.sleep(0.1)
            finally:
                stop.set()
        assert len(codes) > 30 and set(codes) <= {401, 429}, set(codes)
        assert 429 in codes
        assert slowest < 0.5, slowest


def test_many_with_the_same_password_leave_places_to_a_valid_login(tmp_path):
    """It is checked once for all of them, and takes a second; each has a connection meanwhile."""
    need("curl")
    config = f'[web.basic_auth_users]\nalice = "{hashed(b"secret", 14)}"\n'
    request = f"GET / HTTP/1.1\r\nHost: localhost\r\n{basic(b'alice:%d')}\r\n\r\n"
    with secure.running(config, tmp_path, "alice:secret") as a:
        assert ask(a, "/-/healthy", "-u", "alice:secret")[0] == 200
        for round_ in range(3):
            wrong = request.replace(basic(b"alice:%d"), basic(b"alice:%d" % round_)).encode()
            clients = []
            for _ in range(100):
                client = socket.create_connection(("127.0.0.1", a.port), 10, ("127.0.0.9", 0))
                client.sendall(wrong)
                clients.append(client)
            _, body, _ = ask(a, "/-/healthy", "-u", "alice:secret", "-w", "\n%{time_total}\n%{http_code}")
            for client in clients:
                client.close()
            assert body.startswith("Healthy.\n")
            assert float(body.splitlines()[-1]) < 0.5, body


def test_one_address_does_not_keep_another_from_its_first_login(tmp_path):
    need("curl")
    config = f'[web.basic_auth_users]\nalice = "{hashed(b"secret", 10)}"\n'
    with secure.running(config, tmp_path, "alice:secret", address="0.0.0.0:{port}") as a:
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            wrong = [pool.submit(a.curl, "/metrics", "-u", f"alice:{i}", "--interface", "127.0.1.1",
                                 scheme="http", host="127.0.0.1") for i in range(12)]
            assert a.curl("/metrics", "-u", "alice:secret", scheme="http",
                          host="127.0.0.1")[0] == 200
            assert {one.result()[0] for one in wrong} <= {401, 429}


def test_an_unknown_user_costs_what_a_known_one_costs(tmp_path):
    """Also one whose hash costs less than another's. Counted in the agent's processor time."""
    need("curl")
    config = (f'[web.basic_auth_users]\ncheap = "{hashed(b"a", 4)}"\n'
              f'dear = "{hashed(b"b", 11)}"\n')
    with secure.running(config, tmp_path, "cheap:a") as a:
        def cost(user):
            before = a.value("process_cpu_seconds_total")
            for i in range(6):
                assert ask(a, "/-/healthy", "-u", f"{user}:wrong{i}")[0] == 401
            return a.value("process_cpu_seconds_total") - before

        cost("warm")
        costs = {user: cost(user) for user in ("cheap", "dear", "nobody")}
        assert max(costs.values()) < 1.5 * min(costs.values()), costs


def test_the_private_pages_of_this_host_alone_open_with_authentication(folder):
    """10.9.8.7 is an address of this host, but no loopback one."""
    password = users(alice="secret")
    verify = secure.TLS.format(folder) + (
        f'client_auth_type = "VerifyClientCertIfGiven"\nclient_ca_file = "{folder}/ca.pem"\n')
    certificate = ("--cert", f"{folder}/good.pem", "--key", f"{folder}/good.key")
    private = ("/", "/config", "/api/v1/upstreams")
    with namespace() as inside:
        subprocess.run([*inside, "ip", "addr", "add", "10.9.8.7/32", "dev", "lo"], check=True)

        def codes(a, scheme, *options):
            return {a.curl(path, *options, scheme=scheme, host="10.9.8.7")[0] for path in private}

        with secure.running("# open\n", folder, prefix=inside, address="0.0.0.0:{port}") as a:
            assert codes(a, "http") == {403}
            assert "ssh -L" in a.curl("/", scheme="http", host="10.9.8.7")[1]
            assert a.curl("/metrics", scheme="http", host="10.9.8.7")[0] == 200
        with secure.running(password, folder, "alice:secret", inside, "0.0.0.0:{port}") as a:
            assert codes(a, "http") == {401}
            known = ("-u", "alice:secret")
            assert codes(a, "http", *known) == {200}
            assert codes(a, "http", *known, "-H", "Host: agent.example",
                         "-H", "X-Forwarded-For: 192.0.2.1") == {200}
            reload = ("-X", "POST", "-H", "Host: agent.example")
            for origin, code in (("http://agent.example", 200), ("http://evil.example", 403),
                                 ("null", 403)):
                assert a.curl("/-/reload", *known, *reload, "-H", f"Origin: {origin}",
                              scheme="http", host="10.9.8.7")[0] == code
        with secure.running(verify, folder, prefix=inside, address="0.0.0.0:{port}") as a:
            insecure = ("-k",)  # the name in the certificate is not 10.9.8.7
            assert codes(a, "https", *insecure) == {403}
            assert codes(a, "https", *insecure, *certificate) == {200}
            assert a.curl("/-/reload", "-k", *certificate, "-X", "POST", "-H",
                          "Host: agent.example", "-H", "Origin: http://agent.example",
                          host="10.9.8.7")[0] == 403
            assert a.curl("/", host="localhost")[0] == 200  # of this host, without a certificate


def test_a_certificate_that_nobody_verifies_opens_nothing(folder):
    config = secure.TLS.format(folder) + 'client_auth_type = "RequireAnyClientCert"\n'
    with namespace() as inside:
        subprocess.run([*inside, "ip", "addr", "add", "10.9.8.7/32", "dev", "lo"], check=True)
        with secure.running(config, folder, prefix=inside, address="0.0.0.0:{port}") as a:
            pair = ("--cert", f"{folder}/good.pem", "--key", f"{folder}/good.key")
            assert a.curl("/", "-k", *pair, host="10.9.8.7")[0] == 403
            assert a.curl("/metrics", "-k", *pair, host="10.9.8.7")[0] == 200


def test_a_password_and_a_certificate_are_both_needed_where_both_are_asked_for(folder):
    config = secure.TLS.format(folder) + (
        f'client_auth_type = "RequireAndVerifyClientCert"\nclient_ca_file = "{folder}/ca.pem"\n'
    ) + users(alice="secret")
    pair = ("--cert", f"{folder}/good.pem", "--key", f"{folder}/good.key")
    with secure.running(config, folder, "alice:secret") as a:
        assert a.curl("/metrics", "-u", "alice:secret")[0] == 0
        assert a.curl("/metrics", *pair)[0] == 401
        assert a.curl("/metrics", *pair, "-u", "alice:secret")[0] == 200


def test_the_configuration_in_use_as_toml(tmp_path):
    need("curl")
    tomllib = pytest.importorskip("tomllib")
    config = (agent.upstream("one", "http://u.example/?token=CANARY", "[upstream.http]\n"
                             'headers = { Authorization = "CANARY", Accept = "text/html" }\n')
              .replace('"500ms"', '"1h"'))
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.toml").write_text("[limits]\nmax_series = 77\n")
    with secure.running(config, tmp_path) as a:
        page = a.get("/config")
        shown = tomllib.loads(page)
        assert shown["limits"] == {"max_series": 77}
        assert shown["upstream"][0]["http"]["headers"] == {"Authorization": "<secret>",
                                                           "Accept": "text/html"}
        assert shown["upstream"][0]["targets"] == ["http://u.example/?..."]
        assert shown["web"]["listen_address"] == [f"127.0.0.1:{a.port}", f"unix:{tmp_path}/agent.sock"]
        assert "CANARY" not in page
        (tmp_path / "conf.d/a.toml").write_text("[limits]\nmax_series = 78\nmax_in_flight = 9\n")
        assert "limits.max_series" in a.post("/-/reload")
        assert tomllib.loads(a.get("/config"))["limits"] == {"max_series": 77, "max_in_flight": 9}


def test_the_api_over_http(tmp_path):
    need("curl")
    with secure.running(agent.upstream("a b/c", "tcp://127.0.0.1:1"), tmp_path) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="a b/c") == 0)
        head = a.local("/api/v1/upstreams", "-i")
        assert re.search(r"(?i)^content-type: application/json$", head, re.M)
        listed = json.loads(a.get("/api/v1/upstreams"))
        assert [one["name"] for one in listed["upstreams"]] == ["a b/c"]
        for name in ("a%20b%2Fc", "a%20b/c"):
            assert json.loads(a.get(f"/api/v1/upstreams/{name}"))["name"] == "a b/c"
        code, body, _ = ask(a, "/api/v1/upstreams/nobody")
        assert (code, body) == (404, "There is no upstream of this name.\n")
        assert ask(a, "/api/v1/upstreams", "-H", "Host: evil.example")[0] == 403
        assert json.loads(a.local("/api/v1/upstreams", "--compressed")) .keys() == listed.keys()
        assert a.value("upstream_agent_http_requests_total", handler="/api/v1/upstreams",
                       code="404") == 1
