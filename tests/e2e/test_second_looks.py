# SPDX-License-Identifier: Apache-2.0
"""Connections beside the probe's own: for the certificate of a peer that is not verified, and to find out
what a port speaks. They go the probe's way and change nothing of its verdict."""
import contextlib
import ssl

import pytest

from tests.lab import agent, certs, hostile
from tests.lab.processes import listening, need, process


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return certs.clients(certs.make(tmp_path_factory.mktemp("certs")))


@contextlib.contextmanager
def picky_haproxy(pki, folder, certificate):
    """The port of a TLS 1.2 server that takes no connection but from 127.0.0.88, with a PROXY line first and
    with a client certificate."""
    need("haproxy")
    port = agent.free_port()
    pair = folder / "pair.pem"
    pair.write_bytes(b"".join((pki / f"{certificate}.{kind}").read_bytes() for kind in ("pem", "key")))
    conf = folder / "haproxy.cfg"
    conf.write_text(
        "defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n"
        f"frontend f\n bind 127.0.0.1:{port} accept-proxy ssl crt {pair} ca-file {pki}/ca.pem"
        " verify required ssl-max-ver TLSv1.2\n"
        " tcp-request connection reject unless { src 127.0.0.88 }\n"
        " http-request return status 200 content-type text/plain lf-string \"%[ssl_c_s_dn(cn)]\"\n")
    with process("/usr/sbin/haproxy", "-db", "-f", str(conf)):
        listening(port)
        yield port


WAY = 'source_address = "127.0.0.88"\nproxy_protocol = "v1"\n'


def test_the_second_handshake_goes_the_way_of_the_first(certificates, tmp_path):
    tls = f'[upstream.tls]\nca_file = "{certificates}/ca.pem"\n'
    own = tls + f'cert_file = "{certificates}/client.pem"\nkey_file = "{certificates}/client.key"\n'
    with picky_haproxy(certificates, tmp_path, "good") as port:
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/",
                                  own + '[upstream.http]\nexpect_body = "^client$"\n', WAY)
        assert result["error_class"] == "none", result
    with picky_haproxy(certificates, tmp_path, "expired") as port:
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/", own, WAY)
        assert result["error_class"] == "tls_cert_expired", result
        assert result["tls"]["not_after_timestamp"] == 1609459200, result
        # Without a certificate of its own a TLS 1.2 handshake does not come to its end.
        result = agent.probe_with(tmp_path, f"https://127.0.0.1:{port}/", tls, WAY)
        assert (result["error_class"], result["tls"].get("not_after_timestamp")) == (
            "tls_cert_expired", None), result


def test_the_look_for_another_protocol_goes_the_way_of_the_probe(certificates, tmp_path):
    with picky_haproxy(certificates, tmp_path, "good") as port:
        result = agent.probe_with(tmp_path, f"http://127.0.0.1:{port}/", "", WAY)
        assert result["phase"] == "response_headers", result
        assert "speaks TLS" in (result["second_look"] or ""), result
        config = agent.upstream("lab", f"http://127.0.0.1:{port}/", WAY)
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: "speaks TLS" in a.get("/"))


def test_a_hanging_second_handshake_changes_neither_verdict_nor_latency(certificates, tmp_path):
    expired = hostile.tls_server(certificates / "expired.pem", certificates / "expired.key")
    seen = []

    def serve(peer, stop):
        seen.append(1)
        (expired if len(seen) == 1 else hostile.hang)(peer, stop)

    with hostile.serving(serve) as (host, port):
        result = agent.probe_with(tmp_path, f"https://{host}:{port}/",
                                  f'[upstream.tls]\nca_file = "{certificates}/ca.pem"')
    assert len(seen) == 2
    assert result["error_class"] == "tls_cert_expired", result
    assert result["timings"]["total"] < 1.5, "the time-out is 2 s"


def test_a_second_look_tells_the_wrong_scheme_and_the_unknown_name(certificates, tmp_path):
    with hostile.serving("ok") as (host, port):  # waits for a request's end, as plain servers do
        result, _ = agent.probe(f"https://{host}:{port}/", timeout="500ms")
    assert result["error_class"] == "tls_timeout", result
    assert "speaks plain HTTP" in result["second_look"]

    context = hostile.tls_context(certificates / "good.pem", certificates / "good.key")
    serve = hostile.over_tls(context, lambda peer, stop: peer.recv(1))
    with hostile.serving(serve) as (host, port):
        result, _ = agent.probe(f"http://{host}:{port}/")
    assert result["phase"] == "response_headers", result
    assert "speaks TLS" in result["second_look"]

    def names(_socket, name, _context):
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if name else None

    context.sni_callback = names
    with hostile.serving(serve) as (_, port):
        config = (f'[[upstream]]\nname = "lab"\ntargets = ["https://localhost:{port}/"]\n'
                  'ip_protocol = "4"\nfall = 1\n')
        (tmp_path / "agent.toml").write_text(config)
        result, _ = agent.probe("lab", f"--config.file={tmp_path}/agent.toml")
        assert result["error_class"] == "tls_handshake_failed", result
        assert "without the server name" in result["second_look"]
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: "without the server name" in a.get("/"))
            # Nothing is counted for it.
            assert a.value("upstream_probe_attempts_total", upstream="lab") <= 3
    with hostile.serving("tls_alert") as (host, port):
        result, _ = agent.probe(f"https://{host}:{port}/")
    assert (result["error_class"], result["second_look"]) == ("tls_handshake_failed", None)
