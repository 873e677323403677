# SPDX-License-Identifier: Apache-2.0
"""What is found of http://, https://, tcp:// and Unix sockets beside the class (test_faults.py)."""
import os
import socket
import ssl
import threading
import time

import pytest

from tests.lab import agent, certs, hostile

@pytest.mark.parametrize("scenario", ["ok", "endless", "status_204", "status_301"])
def test_what_is_no_failure(scenario):
    with hostile.serving(scenario) as (host, port):
        result, status = agent.probe(f"http://{host}:{port}/")
    assert (result["error_class"], result["phase"], status) == ("none", None, 0), result
    assert {"connect", "request", "response_headers", "total"} <= set(result["timings"])
    assert "dns" not in result["timings"], "a literal address is not resolved"


def test_too_many_headers():
    with hostile.serving("many_headers") as (host, port):
        result, _ = agent.probe(f"http://{host}:{port}/")
    assert (result["error_class"], result["phase"]) == ("headers_too_large", "response_headers"), result


def test_nothing_listens():
    port = agent.free_port()
    for url in (f"http://127.0.0.1:{port}/", f"tcp://127.0.0.1:{port}", f"http://[::1]:{port}/"):
        result, status = agent.probe(url)
        assert (result["error_class"], result["phase"], status) == ("connect_refused", "connect", 1)
        assert set(result["timings"]) == {"total"}


def test_accept_queue_is_full():
    with hostile.full_backlog() as (host, port):
        result, _ = agent.probe(f"tcp://{host}:{port}", timeout="1s")
    assert (result["error_class"], result["phase"]) == ("listen_queue_full", "connect"), result


def test_tcp_connects():
    with hostile.serving("hang") as (host, port):
        result, status = agent.probe(f"tcp://{host}:{port}")
    assert (result["error_class"], status) == ("none", 0)
    assert set(result["timings"]) == {"connect", "total"}


def test_unix_sockets(tmp_path):
    path = str(tmp_path / "a.sock")
    result, _ = agent.probe(f"http+unix://{path}:/x")
    # Missing, and nothing is said of an address that nobody asked for.
    assert (result["error_class"], result["message"]) == (
        "connect_refused", "No such file or directory")
    with hostile.serving("ok", socket.AF_UNIX, path):
        result, status = agent.probe(f"http+unix://{path}:/x")
        assert (result["error_class"], status) == ("none", 0), result
        assert result["address"] == path
    result, _ = agent.probe(f"tcp+unix://{path}")
    assert (result["error_class"], result["message"]) == ("connect_refused", "Connection refused")
    if os.geteuid() == 0:
        full = socket.socket(socket.AF_UNIX)
        full.bind(str(tmp_path / "full.sock"))
        full.listen(0)
        fillers = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(str(tmp_path / "full.sock"))
        result, _ = agent.probe(f"http+unix://{tmp_path}/full.sock")
        assert result["error_class"] == "listen_queue_full", result
        for s in [full, *fillers]:
            s.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return certs.make(tmp_path_factory.mktemp("certs"))


TLS = {
    "good": ("none", None),
    "expired": ("tls_cert_expired", "tls"),
    "not_yet": ("tls_cert_expired", "tls"),
    "other_name": ("tls_cert_name_mismatch", "tls"),
    "self_signed": ("tls_cert_untrusted", "tls"),
}


def probe_with_ca(url, certificates, tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text(
        f'[[upstream]]\nname = "lab"\ntargets = ["{url}"]\n'
        f'timeout = "2s"\n[upstream.tls]\nca_file = "{certificates}/ca.pem"\n'
    )
    return agent.probe("lab", f"--config.file={config}")


@pytest.mark.parametrize("name", TLS)
def test_certificates(name, certificates, tmp_path):
    requests = []
    plain = hostile.tls_server(certificates / f"{name}.pem", certificates / f"{name}.key",
                               requests=requests)

    with hostile.serving(plain) as (host, port):
        result, _ = probe_with_ca(f"https://{host}:{port}/", certificates, tmp_path)
    assert (result["error_class"], result["phase"]) == TLS[name], result
    assert result["tls"]["verified"] == (name == "good")
    # Facts survive a failed verification.
    ends = {"expired": 1609459200, "not_yet": 2208988800, "other_name": 2208988800}
    if name in ends:
        assert result["tls"]["not_after_timestamp"] == ends[name], result
        assert "Lab CA" in result["tls"]["issuer"]
        assert len(result["tls"]["fingerprint_sha256"]) == 64
    if name == "self_signed":
        assert "localhost" in result["tls"]["subject"]
        assert result["tls"]["verify_error"]
    if name != "good":
        assert requests == [], "a request went to a peer that is not verified"
    if name == "good":
        assert "tls" in result["timings"]
        assert result["tls"]["not_after_timestamp"] == 2208988800


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_demanded(version, certificates, tmp_path):
    serve = hostile.tls_server(certificates / "good.pem", certificates / "good.key",
                               certificates / "ca.pem", version)
    with hostile.serving(serve) as (host, port):
        result, _ = probe_with_ca(f"https://{host}:{port}/", certificates, tmp_path)
    assert result["error_class"] == "tls_client_cert_required", result


def test_expectations_and_redirects(tmp_path):
    config = tmp_path / "agent.toml"

    def run(port, more):
        config.write_text(
            f'[[upstream]]\nname = "lab"\ntargets = ["http://127.0.0.1:{port}/"]\n{more}'
        )
        return agent.probe("lab", f"--config.file={config}")[0]

    with hostile.serving("ok") as (_, port):
        assert run(port, '[upstream.http]\nexpect_body = "fi.e"')["error_class"] == "none"
        wrong = run(port, '[upstream.http]\nexpect_body = "absent"')
        assert (wrong["error_class"], wrong["phase"]) == ("content_mismatch", "content")
        assert run(port, "[upstream.http]\nexpect_status = [204]")["error_class"] == "content_mismatch"
    with hostile.serving("status_404") as (_, port):
        assert run(port, '[upstream.http]\nexpect_status = ["2xx", 404]')["error_class"] == "none"
    with hostile.serving("redirect_loop") as (_, port):
        assert run(port, "")["error_class"] == "none"  # not followed by default
        loop = run(port, "[upstream.http]\nfollow_redirects = true")
        assert (loop["error_class"], loop["http"]["redirects"]) == ("content_mismatch", 5)
    with hostile.serving("slow") as (_, port):
        slow = run(port, 'slow_threshold = "100ms"')
        assert (slow["error_class"], slow["success"]) == ("slow_response", True)


def recording(answer, requests):
    def serve(peer, stop):
        requests.append(hostile.read_request(peer))
        peer.sendall(answer)

    return serve


@pytest.mark.parametrize("same_origin", [True, False])
def test_secrets_do_not_follow_a_redirect_to_another_origin(same_origin, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret")
    token.chmod(0o600)
    there, here = [], []
    with hostile.serving(recording(hostile.reply(b"200 OK", b"there"), there)) as (_, other):
        where = b"/next" if same_origin else b"http://127.0.0.1:%d/next" % other
        first = [hostile.reply(b"302 Found", headers=b"Location: " + where + b"\r\n"),
                 hostile.reply(b"200 OK", b"here")]

        def serve(peer, stop):
            here.append(hostile.read_request(peer))
            peer.sendall(first[min(len(here), 2) - 1])

        with hostile.serving(serve) as (_, port):
            config = tmp_path / "agent.toml"
            config.write_text(
                f'[[upstream]]\nname = "lab"\ntargets = ["http://127.0.0.1:{port}/"]\n'
                f'[upstream.http]\nfollow_redirects = true\nbearer_token_file = "{token}"\n'
                'host = "shop.example"\nheaders = { X-Api-Key = "k3y" }\n'
            )
            result, _ = agent.probe("lab", f"--config.file={config}")
    assert (result["error_class"], result["http"]["redirects"]) == ("none", 1), result
    last = (here if same_origin else there)[-1]
    assert b"GET /next " in last
    for secret in (b"s3cret", b"k3y", b"shop.example"):
        assert secret in here[0]
        assert (secret in last) == same_origin, last


def test_a_redirect_on_a_unix_socket_stays_there(tmp_path):
    path, seen = str(tmp_path / "a.sock"), []

    def serve(peer, stop):
        seen.append(hostile.read_request(peer))
        moved = hostile.reply(b"302 Found", headers=b"Location: /next\r\n")
        peer.sendall(hostile.reply(b"200 OK") if b"/next" in seen[-1] else moved)

    with hostile.serving(serve, socket.AF_UNIX, path):
        config = tmp_path / "agent.toml"
        config.write_text(
            f'[[upstream]]\nname = "lab"\ntargets = ["http+unix://{path}:/"]\n'
            '[upstream.http]\nfollow_redirects = true\n'
        )
        result, _ = agent.probe("lab", f"--config.file={config}")
    assert (result["error_class"], result["http"]["status_code"]) == ("none", 200), result


def test_an_unknown_http_version_is_invalid_and_not_another_protocol():
    serve = hostile.after_request(b"HTTP/4.2 200 OK\r\nContent-Length: 0\r\n\r\n")
    with hostile.serving(serve) as (host, port):
        result, _ = agent.probe(f"http://{host}:{port}/")
    assert result["error_class"] == "invalid_response", result


STATUS_LINES = {b"HTTP/1.1 20\r\n": "short", b"HTTP/1.1 2x0 OK\r\n": "letters",
                b"HTTP/1.1 000 OK\r\n": "zero", b"HTTP/1.1 99999 OK\r\n": "long"}


@pytest.mark.parametrize("line", STATUS_LINES, ids=STATUS_LINES.get)
def test_a_broken_status_line_is_still_http(line):
    with hostile.serving(hostile.after_request(line + b"Content-Length: 0\r\n\r\n")) as (host, port):
        result, _ = agent.probe(f"http://{host}:{port}/")
    assert result["error_class"] == "invalid_response", result


@pytest.mark.parametrize("location", [b"", b"Location: ftp://x/y\r\n", b"Location: //\r\n",
                                      b"Location: http://user:pw@127.0.0.1/\r\n"])
def test_a_redirect_that_leads_nowhere_is_no_success(location, tmp_path):
    serve = hostile.after_request(hostile.reply(b"302 Found", headers=location))
    with hostile.serving(serve) as (host, port):
        config = tmp_path / "agent.toml"
        config.write_text(f'[[upstream]]\nname = "lab"\ntargets = ["http://{host}:{port}/"]\n'
                          '[upstream.http]\nfollow_redirects = true\n')
        result, _ = agent.probe("lab", f"--config.file={config}")
    assert (result["error_class"], result["detail"]) == ("content_mismatch", "redirect"), result
    assert "302" in result["message"] and "pw" not in result["message"]


def test_advice_is_about_the_hop_that_failed(tmp_path):
    closed = agent.free_port()
    where = b"Location: http://localhost:%d/next\r\n" % closed
    serve = hostile.after_request(hostile.reply(b"302 Found", headers=where))
    with hostile.serving(serve) as (host, port):
        config = tmp_path / "agent.toml"
        config.write_text(f'[[upstream]]\nname = "lab"\ntargets = ["http://{host}:{port}/"]\n'
                          '[upstream.http]\nfollow_redirects = true\n')
        result, _ = agent.probe("lab", f"--config.file={config}")
    assert result["error_class"] == "connect_refused", result
    assert f":{closed}" in result["command"] and f":{port}" not in result["command"]
    assert result["redirected_to"] == f"http://localhost:{closed}/next"
    assert (result["address"], result["http"]["redirects"]) == (f"{host}:{port}", 1)


def test_a_unix_socket_is_connected_to_once(tmp_path):
    path = str(tmp_path / "one.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(0)  # one waiting connection fills it
    accepted = []

    def serve():
        server.settimeout(3)
        try:
            while True:
                peer, _ = server.accept()
                accepted.append(hostile.read_request(peer))
                peer.sendall(hostile.reply(b"204 No Content"))
                peer.close()
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    result, _ = agent.probe(f"http+unix://{path}:/ping")
    thread.join()
    server.close()
    assert result["error_class"] == "none", result
    assert len(accepted) == 1 and b"GET /ping" in accepted[0]
    assert "connect" in result["timings"]


def test_a_pattern_that_takes_long_does_not_outlast_the_deadline(tmp_path):
    body = b"ab" * (512 * 1024)
    with hostile.serving(hostile.after_request(hostile.reply(b"200 OK", body))) as (host, port):
        config = tmp_path / "agent.toml"
        config.write_text(f'[[upstream]]\nname = "lab"\ntargets = ["http://{host}:{port}/"]\n'
                          'timeout = "1s"\n[upstream.http]\nexpect_body = "a[ab]{900}c"\n')
        begin = time.monotonic()
        result, _ = agent.probe("lab", f"--config.file={config}")
        took = time.monotonic() - begin
    assert result["error_class"] in ("local_resources_exhausted", "content_mismatch"), result
    assert result["timings"]["total"] < 1.5, result
    assert took < 20, took


def test_an_unread_listener_is_told_from_a_slow_application():
    server = socket.create_server(("127.0.0.1", 0), backlog=5)
    port = server.getsockname()[1]
    result, _ = agent.probe(f"http://127.0.0.1:{port}/", timeout="1s")
    server.close()
    assert (result["error_class"], result["detail"]) == ("response_timeout", "not_accepting"), result


def test_a_replaced_ca_file_is_read_again(certificates, tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_bytes((certificates / "self_signed.pem").read_bytes())
    serve = hostile.tls_server(certificates / "good.pem", certificates / "good.key")
    with hostile.serving(serve) as (host, port):
        config = (f'[[upstream]]\nname = "lab"\ntargets = ["https://{host}:{port}/"]\n'
                  f'interval = "500ms"\ntimeout = "500ms"\n[upstream.tls]\nca_file = "{ca}"\n')
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == 16)
            ca.write_bytes((certificates / "ca.pem").read_bytes())
            a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == 0)


def test_a_busy_destination_is_closed_by_reset_and_a_quiet_one_is_not(tmp_path):
    ends = {"reset": 0, "fin": 0}

    def serve(peer, stop):
        hostile.read_request(peer)
        peer.sendall(hostile.reply(b"200 OK", b"ok"))
        try:
            ends["fin" if peer.recv(1) == b"" else "data"] += 1
        except ConnectionResetError:
            ends["reset"] += 1

    def run(count):
        ends.update(reset=0, fin=0)
        with hostile.serving(serve) as (host, port):
            config = "".join(f'[[upstream]]\nname = "u{i}"\ntargets = ["http://{host}:{port}/{i}"]\n'
                             'interval = "1s"\ntimeout = "900ms"\n' for i in range(count))
            with agent.running(config, tmp_path) as a:
                a.wait_for(lambda a: sum(ends.values()) > 3 * count)
        return dict(ends)

    assert run(5)["reset"] == 0
    assert run(120)["reset"] > 100


def test_time_runs_out_after_a_redirect(tmp_path):
    with hostile.serving("hang") as (_, other):
        where = b"http://127.0.0.1:%d/" % other
        serve = hostile.after_request(
            hostile.reply(b"302 Found", headers=b"Location: " + where + b"\r\n"))
        with hostile.serving(serve) as (host, port):
            config = tmp_path / "agent.toml"
            config.write_text(
                f'[[upstream]]\nname = "lab"\ntargets = ["http://{host}:{port}/"]\n'
                '[upstream.http]\nfollow_redirects = true\n'
            )
            result, _ = agent.probe("lab", f"--config.file={config}")
    assert (result["error_class"], result["phase"]) == ("response_timeout", "response_headers"), result
