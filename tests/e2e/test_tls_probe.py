# SPDX-License-Identifier: Apache-2.0
"""tls:// targets: a handshake alone, and each way in which it fails."""
import ssl
import subprocess

import pytest

from tests.lab import agent, certs, hostile
from tests.lab.processes import listening, need, process

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return certs.clients(certs.make(tmp_path_factory.mktemp("pki")))


def options(pki, client=None, more=""):
    files = f'cert_file = "{pki}/{client}.pem"\nkey_file = "{pki}/{client}.key"\n' if client else ""
    return f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n{files}{more}'


def ask(port, tables, folder, host="127.0.0.1"):
    return agent.probe_with(folder, f"tls://{host}:{port}", tables, 'ip_protocol = "4"')


def found(result):
    return result["error_class"], result["detail"]


def silent(peer, stop):
    """Sends nothing, and reads what comes."""
    while peer.recv(4096):
        pass


def server(pki, name="good", client_ca=None, version=None, clients=ssl.CERT_REQUIRED, serve=silent):
    context = hostile.tls_context(pki / f"{name}.pem", pki / f"{name}.key", client_ca, version, clients)
    return hostile.serving(hostile.over_tls(context, serve))


@pytest.mark.parametrize("name,error_class,detail", [
    ("good", "none", ""),
    ("expired", "tls_cert_expired", "x509_10"),
    ("not_yet", "tls_cert_expired", "x509_9"),
    ("other_name", "tls_cert_name_mismatch", "name"),
    ("self_signed", "tls_cert_untrusted", "x509_18"),
])
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_certificates(name, error_class, detail, version, pki, tmp_path):
    sent = []

    def serve(peer, stop):
        sent.append(peer.recv(4096))

    with server(pki, name, version=version, serve=serve) as (_, port):
        result = ask(port, options(pki), tmp_path)
    assert found(result) == (error_class, detail), result
    assert result["tls"]["verified"] == (name == "good")
    assert result["phase"] == (None if name == "good" else "tls")
    assert set(result["timings"]) == {"connect", "total"} | ({"tls"} if name == "good" else set())
    assert result["http"] is None
    assert len(result["tls"]["fingerprint_sha256"]) == 64
    assert [bytes_ for bytes_ in sent if bytes_] == [], "something was said after the handshake"


def test_options_apply(pki, tmp_path):
    with server(pki, "other_name") as (_, port):
        assert found(ask(port, options(pki, more='server_name = "other.test"'), tmp_path)) == ("none", "")
        result = ask(port, "[upstream.tls]\ninsecure_skip_verify = true", tmp_path)
        assert found(result) == ("none", "")
        assert not result["tls"]["verified"]
        assert found(ask(port, "", tmp_path)) == ("tls_cert_untrusted", "x509_20")
    with server(pki, version=TLS_1_2) as (_, port):
        result = ask(port, options(pki, more='min_version = "1.3"'), tmp_path)
        assert found(result) == ("tls_handshake_failed", "alert_70"), result
        result = ask(port, options(pki), tmp_path, "localhost")
        assert (found(result), result["tls"]["version"]) == (("none", ""), "TLSv1.2")
        assert set(result["timings"]) == {"dns", "connect", "tls", "total"}


@pytest.mark.parametrize("peer,error_class,detail", [
    ("tls_hang", "tls_timeout", ""),
    ("tls_alert", "tls_handshake_failed", "alert_40"),
    ("tls_close", "tls_handshake_failed", "fin"),
    ("tls_reset", "tls_handshake_failed", "rst"),
    ("plain_answer", "protocol_mismatch", "not_tls"),
    ("ssh_banner", "protocol_mismatch", "not_tls"),
])
def test_peers_that_make_no_handshake(peer, error_class, detail, tmp_path):
    with hostile.serving(peer) as (host, port):
        result, status = agent.probe(f"tls://{host}:{port}", timeout="1s")
    assert (status, found(result)) == (1, (error_class, detail)), result
    assert set(result["timings"]) == {"connect", "total"}
    assert result["timings"]["total"] <= 1.25
    assert f"openssl s_client -connect {host}:{port}" in result["command"] or detail == "not_tls"
    assert result["tls"] is None


def test_a_port_that_speaks_http_is_told(tmp_path):
    with hostile.serving("ok") as (host, port):
        result, _ = agent.probe(f"tls://{host}:{port}", timeout="500ms")
    assert result["error_class"] == "tls_timeout", result
    assert "speaks plain HTTP" in result["second_look"]


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("client,error_class", [
    ("client", "none"), (None, "tls_client_cert_required"), ("stranger", "tls_client_cert_required"),
    ("stale", "tls_client_cert_required")])
def test_a_client_certificate_that_is_demanded(client, error_class, version, pki, tmp_path):
    with server(pki, client_ca=pki / "ca.pem", version=version) as (_, port):
        for _ in range(5):  # an alert and the end of the connection race
            result = ask(port, options(pki, client), tmp_path)
            assert result["error_class"] == error_class, result
            if error_class != "none":
                assert result["detail"].startswith("alert_") or result["detail"] in (
                    "cert_requested", "cert_requested,closed")
            if version == TLS_1_3 or error_class == "none":
                assert "tls" in result["timings"]
            if error_class == "none":
                assert result["timings"]["total"] < 0.3, "the wait for an objection is no latency"


def test_a_client_certificate_that_is_only_asked_for(pki, tmp_path):
    def greets(peer, stop):
        peer.sendall(b"220 hello\r\n")
        silent(peer, stop)

    for serve in (silent, greets):
        with server(pki, client_ca=pki / "ca.pem", clients=ssl.CERT_OPTIONAL, serve=serve) as (_, port):
            result = ask(port, options(pki), tmp_path)
            assert found(result) == ("none", ""), result
            assert result["timings"]["total"] < 0.3


def test_openssl_demands_one(pki, tmp_path):
    need("openssl")
    port = agent.free_port()
    with process("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{pki}/good.pem",
                 "-key", f"{pki}/good.key", "-CAfile", f"{pki}/ca.pem", "-Verify", "3",
                 "-verify_return_error", "-quiet", stdin=subprocess.PIPE):
        listening(port)
        result = ask(port, options(pki), tmp_path)
        assert found(result) == ("tls_client_cert_required", "alert_116"), result
        assert found(ask(port, options(pki, "client"), tmp_path)) == ("none", "")


def test_a_server_that_refuses_every_protocol(pki, tmp_path):
    """What is spoken after the handshake is not known: none is offered."""
    need("openssl")
    port = agent.free_port()
    with process("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{pki}/good.pem",
                 "-key", f"{pki}/good.key", "-alpn", "postgresql", "-quiet", stdin=subprocess.PIPE):
        listening(port)
        assert found(ask(port, options(pki), tmp_path)) == ("none", "")


def test_the_series_of_a_tls_target(pki, tmp_path):
    with server(pki) as (_, port):
        config = agent.upstream("lab", f"tls://127.0.0.1:{port}", options(pki))
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="lab") == 1)
            assert a.value("upstream_probe_tls_verified", upstream="lab") == 1
            assert a.value("upstream_probe_tls_cert_not_after_timestamp_seconds", upstream="lab") > 0
            assert a.value("upstream_probe_tls_info", upstream="lab", version="TLSv1.3") == 1
            assert a.value("upstream_info", upstream="lab", type="tls") == 1
            assert a.value("upstream_probe_last_duration_seconds", upstream="lab", phase="tls") > 0
            assert a.value("upstream_probe_last_duration_seconds", upstream="lab", phase="request") is None
            born = {labels["error_class"] for labels, _ in a.metrics()["upstream_probe_errors_total"]}
            assert born == {"connect_refused", "connect_timeout", "listen_queue_full", "unreachable",
                            "tls_timeout", "tls_handshake_failed", "tls_cert_expired",
                            "response_timeout"}
