# SPDX-License-Identifier: Apache-2.0
"""Handshakes and certificates."""
import ssl
import time

from tests.lab import hostile
from tests.lab.faults.fault import CONNECTED, Stage, fault


def _trusting(site):
    return f'[upstream.tls]\nca_file = "{site.certificates}/ca.pem"\n'


def _certificate(error_class, name, leaf):
    @fault(error_class, name, CONNECTED, "https")
    def stand(site):
        serve = hostile.tls_server(site.certificates / f"{leaf}.pem", site.certificates / f"{leaf}.key")
        with hostile.serving(serve) as (host, port):
            yield Stage(f"https://{host}:{port}/", _trusting(site))


for _row in [
    ("tls_cert_expired", "the certificate has expired", "expired"),
    ("tls_cert_expired", "the certificate is not valid yet", "not_yet"),
    ("tls_cert_name_mismatch", "the certificate is another host's", "other_name"),
    ("tls_cert_untrusted", "the certificate is self-signed", "self_signed"),
]:
    _certificate(*_row)


@fault("tls_cert_name_mismatch", "the certificate lacks the configured server name", CONNECTED, "https")
def another_server_name(site):
    serve = hostile.tls_server(site.certificates / "good.pem", site.certificates / "good.key")
    with hostile.serving(serve) as (host, port):
        yield Stage(f"https://{host}:{port}/", _trusting(site) + 'server_name = "shop.example"\n')


@fault("tls_cert_untrusted", "the certificate's authority is not trusted here", CONNECTED, "https")
def unknown_authority(site):
    serve = hostile.tls_server(site.certificates / "good.pem", site.certificates / "good.key")
    with hostile.serving(serve) as (host, port):
        yield Stage(f"https://{host}:{port}/")


def _demands(name, version):
    @fault("tls_client_cert_required", name, "connect tls" if "1.3" in name else CONNECTED, "https")
    def stand(site):
        serve = hostile.tls_server(site.certificates / "good.pem", site.certificates / "good.key",
                                   site.certificates / "ca.pem", version)
        with hostile.serving(serve) as (host, port):
            yield Stage(f"https://{host}:{port}/", _trusting(site))


_demands("a client certificate is demanded in TLS 1.2", ssl.TLSVersion.TLSv1_2)
_demands("a client certificate is demanded in TLS 1.3", ssl.TLSVersion.TLSv1_3)


def _broken(error_class, name, scenario):
    @fault(error_class, name, CONNECTED, "https")
    def stand(site):
        with hostile.serving(scenario) as (host, port):
            yield Stage(f"https://{host}:{port}/")


def _drip_hello(peer, stop):
    peer.recv(4096)
    for byte in b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76" + bytes(100):
        peer.sendall(bytes([byte]))
        if stop.wait(0.1):
            return


def _other_version(peer, stop):
    peer.recv(4096)
    peer.sendall(b"\x15\x03\x01\x00\x02\x02\x46")  # fatal, protocol_version
    time.sleep(0.1)


for _row in [
    ("tls_timeout", "the handshake is not answered", "tls_hang"),
    ("tls_timeout", "the handshake comes byte by byte", _drip_hello),
    ("tls_handshake_failed", "the handshake ends in an alert", "tls_alert"),
    ("tls_handshake_failed", "the server wants another version of TLS", _other_version),
    ("tls_handshake_failed", "the server closes during the handshake", "tls_close"),
    ("tls_handshake_failed", "the server resets during the handshake", "tls_reset"),
    ("protocol_mismatch", "a port without TLS is spoken to with TLS", "plain_answer"),
    ("protocol_mismatch", "an SSH server is spoken to with TLS", "ssh_banner"),
]:
    _broken(*_row)
