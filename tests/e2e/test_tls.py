# SPDX-License-Identifier: Apache-2.0
"""The endpoints over TLS: versions, client certificates, and a certificate that changes."""
import os
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from tests.lab import agent, certs, secure
from tests.lab.processes import need

LOADED = "upstream_agent_web_tls_certificate_last_load_successful"
EXPIRY = "upstream_agent_web_tls_certificate_not_after_timestamp_seconds"
IN_USE = "the certificate of the endpoints is in use"
BROKEN = "the new certificate of the endpoints cannot be used; the old one serves on"


@pytest.fixture(name="folder")
def with_certificates(tmp_path):
    need("curl", "openssl")
    return secure.certificates(tmp_path)


def tls(folder, more=""):
    return secure.TLS.format(folder) + more


def served(a):
    """SHA-256 of the certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", a.port), 10) as plain:
        with context.wrap_socket(plain) as secured:
            return secured.getpeercert(True)


def der(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def not_after(path):
    text = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", str(path)], check=True,
                          capture_output=True, text=True).stdout
    return ssl.cert_time_to_seconds(text.strip().partition("=")[2])


def test_all_pages_over_tls_and_a_unix_socket_without(folder):
    with secure.running(tls(folder), folder) as a:
        for version in ("1.2", "1.3"):
            code, body, _ = a.curl("/metrics", "--tlsv" + version, "--tls-max", version)
            assert (code, "process_cpu_seconds_total" in body) == (200, True)
        assert a.curl("/", host="127.0.0.1")[0] == 200
        assert a.curl("/-/reload", "-X", "POST")[:2] == (200, "Reloaded.\n")
        assert a.curl("/", "-H", "Host: evil.example")[0] == 403
        assert a.local("/-/healthy") == "Healthy.\n"
        assert a.value(EXPIRY) == not_after(folder / "good.pem")
        assert a.value(LOADED) == 1
        assert a.curl("/metrics", scheme="http")[0] == 0


def test_no_certificate_no_series(tmp_path):
    with agent.running("# nothing\n", tmp_path) as a:
        assert a.value(EXPIRY) is None and a.value(LOADED) is None


def test_what_a_handshake_agrees_on(folder):
    """openssl offers what is weak, one by one, with its own limits off."""
    def agrees(a, *options):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{a.port}", *options],
            input="", capture_output=True, text=True, check=False, timeout=20)
        return "Cipher is (NONE)" not in done.stdout and ": Cipher is " not in done.stderr and bool(
            re.search(r"^New, TLSv1\.[23], Cipher is ", done.stdout, re.M))

    weak = ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES256-SHA256",
            "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-CCM8", "NULL", "aNULL", "CAMELLIA",
            "DHE-RSA-AES128-GCM-SHA256", "PSK")
    with secure.running(tls(folder), folder) as a:
        for version in ("-tls1", "-tls1_1"):
            assert not agrees(a, version, "-cipher", "ALL:@SECLEVEL=0"), version
        for cipher in weak:
            assert not agrees(a, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0"), cipher
        for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
            assert agrees(a, "-tls1_2", "-cipher", cipher), cipher
        assert agrees(a, "-tls1_3")
    with secure.running(tls(folder, 'min_version = "TLS13"\n'), folder) as a:
        assert not agrees(a, "-tls1_2")
        assert agrees(a, "-tls1_3")


CLIENTS = {"none": (), "known": ("good",), "unknown": ("self_signed",), "expired": ("expired",),
           "too early": ("not_yet",), "of a server": ("of_server",)}
LET_IN = {
    "NoClientCert": set(CLIENTS),
    "RequestClientCert": set(CLIENTS),
    "RequireAnyClientCert": set(CLIENTS) - {"none"},
    "VerifyClientCertIfGiven": {"none", "known"},
    "RequireAndVerifyClientCert": {"known"},
}


@pytest.mark.parametrize("auth", LET_IN)
def test_client_certificates(folder, auth):
    certs.leaf(folder, "of_server", "DNS:localhost", "20200101000000Z", "20400101000000Z",
               "extendedKeyUsage=serverAuth\n")
    config = tls(folder, f'client_auth_type = "{auth}"\n')
    if "Verify" in auth:
        config += f'client_ca_file = "{folder}/ca.pem"\n'
    with secure.running(config, folder) as a:
        for client, names in CLIENTS.items():
            pair = [o for name in names
                    for o in ("--cert", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key")]
            for version in ("1.2", "1.3"):
                code, body, complaint = a.curl("/metrics", "--tls-max", version, *pair)
                let_in = client in LET_IN[auth]
                assert (code, body != "") == ((200, True) if let_in else (0, False)), (
                    client, version, complaint)
        before = a.value("upstream_agent_http_requests_total", handler="/metrics", code="200")
        assert before >= 2 * len(LET_IN[auth])


def test_who_is_refused_reads_why(folder):
    config = tls(folder, 'client_auth_type = "RequireAndVerifyClientCert"\n'
                         f'client_ca_file = "{folder}/ca.pem"\n')
    with secure.running(config, folder) as a:
        assert "certificate required" in a.curl()[2]
        for name, alert in (("self_signed", "unknown ca"), ("not_yet", "bad certificate")):
            pair = ("--cert", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key")
            for version in ("1.2", "1.3"):
                assert alert in a.curl("/", "--tls-max", version, *pair)[2], (name, version)
        # In TLS 1.2 curl takes this alert for one about our certificate.
        pair = ("--cert", f"{folder}/expired.pem", "--key", f"{folder}/expired.key")
        assert "certificate expired" in a.curl("/", "--tls-max", "1.3", *pair)[2]


def test_a_new_pair_key_first_then_certificate(folder):
    with secure.running(tls(folder), folder) as a:
        assert served(a) == der(folder / "good.pem")
        secure.replace(folder / "server.key", (folder / "other_name.key").read_bytes())
        a.wait_for(lambda a: a.value(LOADED) == 0)
        time.sleep(5)  # two looks more, which must not say it again
        assert served(a) == der(folder / "good.pem")
        assert a.log().count(BROKEN) == 1
        assert (f'error="{folder}/server.key is not the key of the certificate in '
                f'{folder}/server.pem"') in a.log()
        secure.replace(folder / "server.pem", (folder / "other_name.pem").read_bytes())
        a.wait_for(lambda a: a.value(LOADED) == 1)
        assert served(a) == der(folder / "other_name.pem")
        assert a.log().count(IN_USE) == 2
        # The certificate first; the old key comes back meanwhile.
        secure.replace(folder / "server.pem", (folder / "expired.pem").read_bytes())
        a.wait_for(lambda a: a.value(LOADED) == 0)
        assert served(a) == der(folder / "other_name.pem")
        secure.replace(folder / "server.key", (folder / "expired.key").read_bytes())
        a.wait_for(lambda a: a.value(LOADED) == 1)
        assert served(a) == der(folder / "expired.pem")
        assert a.value(EXPIRY) == not_after(folder / "expired.pem")
        assert a.log().count(BROKEN) == 2


def spoiled(folder):
    """What is put in the place of a file, and what is then said of it."""
    key, pem = (folder / "good.key").read_bytes(), (folder / "good.pem").read_bytes()
    encrypted = subprocess.run(["openssl", "pkcs8", "-topk8", "-passout", "pass:x", "-in",
                                str(folder / "good.key")], capture_output=True, check=True).stdout
    old = subprocess.run(["openssl", "ec", "-aes128", "-passout", "pass:x", "-in",
                          str(folder / "good.key")], capture_output=True, check=True).stdout
    secret = "is encrypted; the agent needs one without a passphrase"
    return [
        ("server.key", encrypted, 0o600, secret),
        ("server.key", old, 0o600, secret),
        ("server.key", key[:100], 0o600, "holds no whole PEM key"),
        ("server.key", b"", 0o600, "holds no whole PEM key"),
        ("server.key", pem, 0o600, "holds no whole PEM key"),
        ("server.key", key, 0o644, "can be read by others; run chmod 600 {}"),
        ("server.pem", pem[:300], 0o644, "holds no whole PEM certificate"),
        ("server.pem", b"", 0o644, "holds no whole PEM certificate"),
        ("server.pem", b"\0" * 5000, 0o644, "holds no whole PEM certificate"),
        ("server.pem", b"x" * 1_100_000, 0o644, "is larger than 1048576 bytes"),
    ]


def test_what_cannot_be_used_at_start_and_later(folder):
    table = spoiled(folder)
    lines = {"server.pem": "2:13: web.tls_server_config.cert_file",
             "server.key": "3:12: web.tls_server_config.key_file"}
    (folder / "agent.toml").write_text(tls(folder))

    def checked():
        done = subprocess.run([agent.binary(), "check", f"--config.file={folder}/agent.toml"],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    for name, content, mode, message in table:
        secure.replace(folder / name, content, mode)
        path = folder / name
        said = f"{folder}/agent.toml:{lines[name]}: {path} {message.format(path)}\n"
        assert checked() == (78, said)
        secure.install(folder, "good")
    with secure.running(tls(folder), folder) as a:
        for i, (name, content, mode, message) in enumerate(table):
            secure.replace(folder / name, content, mode)
            a.wait_for(lambda a: a.value(LOADED) == 0)
            assert served(a) == der(folder / "good.pem")
            assert a.curl()[0] == 200
            assert f'error="{folder / name} {message.format(folder / name)}"' in a.log()
            assert a.log().count(BROKEN) == i + 1
            assert "The configuration was not changed" in a.post("/-/reload")
            secure.install(folder, "good")
            a.wait_for(lambda a: a.value(LOADED) == 1)


def test_files_that_vanish_links_that_turn_and_one_that_is_written_slowly(folder):
    (folder / "archive").mkdir()
    for kind in ("pem", "key"):
        (folder / f"server.{kind}").unlink()
        (folder / f"server.{kind}").symlink_to(folder / f"good.{kind}")
        (folder / f"good.{kind}").chmod(0o600)
        (folder / f"other_name.{kind}").chmod(0o600)
    with secure.running(tls(folder), folder) as a:
        for kind in ("pem", "key"):  # as certbot does
            (folder / "link").symlink_to(folder / f"other_name.{kind}")
            (folder / "link").rename(folder / f"server.{kind}")
        a.wait_for(lambda a: served(a) == der(folder / "other_name.pem"))
        (folder / "server.pem").unlink()
        a.wait_for(lambda a: a.value(LOADED) == 0)
        assert served(a) == der(folder / "other_name.pem")
        assert f'error="cannot open {folder}/server.pem: No such file or directory"' in a.log()
        os.mkfifo(folder / "server.pem")
        a.wait_for(lambda a: f"{folder}/server.pem is not a regular file" in a.log())
        (folder / "server.pem").unlink()
        (folder / "server.key").unlink()
        (folder / "server.key").write_bytes((folder / "good.key").read_bytes())
        (folder / "server.key").chmod(0o600)
        with open(folder / "server.pem", "wb", buffering=0) as slow:
            for part in re.findall(rb"(?s).{1,150}", (folder / "good.pem").read_bytes()):
                slow.write(part)
                time.sleep(0.7)
        a.wait_for(lambda a: a.value(LOADED) == 1)
        assert served(a) == der(folder / "good.pem")


def test_no_handshake_fails_while_pairs_change_and_reloads_come(folder):
    failures, count, stop = [], [0], threading.Event()

    def connect(a):
        while not stop.is_set():
            try:
                served(a)
                count[0] += 1
            except OSError as error:
                failures.append(error)

    with secure.running(tls(folder), folder) as a:
        clients = [threading.Thread(target=connect, args=(a,)) for _ in range(2)]
        for client in clients:
            client.start()
        try:
            for i in range(20):
                secure.install(folder, "other_name" if i % 2 == 0 else "good")
                if i % 3:
                    assert a.post("/-/reload") == "Reloaded.\n"
                    wanted = der(folder / ("other_name.pem" if i % 2 == 0 else "good.pem"))
                    assert served(a) == wanted
                else:
                    time.sleep(0.3)
        finally:
            stop.set()
            for client in clients:
                client.join()
        assert failures == []
        assert count[0] > 20


def test_a_reload_brings_tls_and_takes_it_away(folder):
    with secure.running("# plain\n", folder) as a:
        assert a.curl("/metrics", scheme="http")[0] == 200
        with socket.create_connection(("127.0.0.1", a.port), 10) as kept:
            kept.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert kept.recv(1000).startswith(b"HTTP/1.1 200")
            (folder / "agent.toml").write_text(tls(folder))
            assert a.post("/-/reload") == "Reloaded.\n"
            # What began in the clear gets nothing more.
            kept.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert kept.recv(1000) == b""
        assert a.curl("/metrics")[0] == 200
        assert a.curl("/metrics", scheme="http")[0] == 0
        assert a.value(LOADED) == 1
        (folder / "agent.toml").write_text("# plain\n")
        assert a.post("/-/reload") == "Reloaded.\n"
        assert a.curl("/metrics", scheme="http")[0] == 200
        assert a.curl("/metrics")[0] == 0
        assert a.value(LOADED) is None and a.value(EXPIRY) is None
        assert "the endpoints serve without TLS from here on" in a.log()


def test_a_client_that_is_no_longer_let_in_ends_with_its_next_request(folder):
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "good.pem", folder / "good.key")
    strict = tls(folder, 'client_auth_type = "RequireAndVerifyClientCert"\n'
                         f'client_ca_file = "{folder}/authority.pem"\n')
    (folder / "authority.pem").write_bytes((folder / "ca.pem").read_bytes())
    request = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with secure.running(strict, folder) as a:
        with socket.create_connection(("127.0.0.1", a.port), 10) as plain, context.wrap_socket(
                plain, server_hostname="localhost") as kept:
            kept.sendall(request)
            assert answer(kept).startswith(b"HTTP/1.1 200")
            secure.install(folder, "other_name")
            a.wait_for(lambda a: a.log().count(IN_USE) == 2)
            kept.sendall(request)  # another certificate of ours changes nothing for it
            assert answer(kept).startswith(b"HTTP/1.1 200")
            secure.replace(folder / "authority.pem", (folder / "self_signed.pem").read_bytes())
            assert a.post("/-/reload") == "Reloaded.\n"
            kept.sendall(request)
            assert ended(kept)


def answer(connection):
    """To a request for the health."""
    read = b""
    while not read.endswith(b"Healthy.\n"):
        more = connection.recv(1000)
        assert more, read
        read += more
    return read


def ended(connection):
    try:
        return connection.recv(1000) == b""
    except (ssl.SSLError, OSError):
        return True


def test_who_does_not_get_on_with_a_handshake_is_ended_after_five_seconds(folder):
    hello = bytes.fromhex("16030100d0010000cc0303")
    with secure.running(tls(folder), folder) as a:
        silent = socket.create_connection(("127.0.0.1", a.port))
        drips = socket.create_connection(("127.0.0.1", a.port))
        begin = time.monotonic()
        for i in range(40):
            time.sleep(0.25)
            try:
                drips.sendall(hello[i % len(hello):][:1] if i < len(hello) else b"\0")
            except OSError:
                break
        took = time.monotonic() - begin
        assert 4 < took < 9
        silent.settimeout(5)
        assert silent.recv(1) == b""
        silent.close()
        drips.close()
