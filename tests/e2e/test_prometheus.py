# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes over IPv6 and TLS, with a password or a certificate."""
import contextlib
import gzip
import json
import socket
import subprocess
import threading
import time

import pytest

from tests.lab import agent, certs, secure
from tests.lab.processes import need, process


def query(port, expression):
    """{labels without the name: value} by what Prometheus' own API says; empty while it starts."""
    done = subprocess.run(
        ["curl", "-s", "--data-urlencode", f"query={expression}",
         f"http://127.0.0.1:{port}/api/v1/query"], capture_output=True, text=True, check=False)
    with contextlib.suppress(json.JSONDecodeError, KeyError):
        return [float(one["value"][1]) for one in json.loads(done.stdout)["data"]["result"]]
    return []


def hashed(password):
    return subprocess.run([agent.binary(), "hash-password"], input=password, capture_output=True,
                          text=True, check=True).stdout.strip()


@contextlib.contextmanager
def prometheus(folder, settings, scheme="https"):
    port = agent.free_port()
    conf = folder / "prometheus.yml"
    conf.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
                    f"- job_name: agent\n  scheme: {scheme}\n" + settings)
    checked = subprocess.run(["promtool", "check", "config", str(conf)], capture_output=True,
                             text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with process("prometheus", f"--config.file={conf}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"):
        yield port


def wait_for(condition):
    end = time.monotonic() + 40
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.5)
    raise AssertionError("it did not happen")


@pytest.fixture(name="folder")
def with_certificates(tmp_path):
    need("prometheus", "promtool", "curl", "openssl")
    try:
        with socket.socket(socket.AF_INET6) as six:
            six.bind(("::1", 0))
    except OSError:
        pytest.skip("there is no IPv6 here")
    secure.certificates(tmp_path)
    certs.leaf(tmp_path, "six", "DNS:localhost,IP:::1", "20200101000000Z", "20400101000000Z")
    secure.install(tmp_path, "six")
    return tmp_path


def test_ipv6_tls_a_password_and_openmetrics(folder):
    config = secure.TLS.format(folder) + f'[web.basic_auth_users]\nprom = "{hashed("se:cret")}"\n'
    (folder / "password").write_text("se:cret")
    with secure.running(config, folder, "prom:se:cret", address="[::1]:{port}") as a:
        assert a.curl("/metrics", host="127.0.0.1")[0] == 0  # IPv6 alone
        settings = (f"  basic_auth: {{username: prom, password_file: {folder}/password}}\n"
                    f"  tls_config: {{ca_file: {folder}/ca.pem}}\n"
                    f"  static_configs: [{{targets: ['[::1]:{a.port}']}}]\n")
        with prometheus(folder, settings) as port:
            wait_for(lambda: query(port, "up") == [1])
            assert query(port, "scrape_samples_scraped")[0] > 60
            # Prometheus parses by the type that it is told: what it asks for, and gets, by curl.
            wanted = ("Accept: application/openmetrics-text;version=1.0.0,"
                      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
            page = a.local("/metrics", "-i", "-H", wanted)
            assert "Content-Type: application/openmetrics-text; version=1.0.0" in page
            assert page.endswith("# EOF\n")
            # Only OpenMetrics has a unit; only the text format a counter's type by its full name.
            types = subprocess.run(
                ["curl", "-s", f"http://127.0.0.1:{port}/api/v1/targets/metadata?"
                 "metric=upstream_agent_http_requests"], capture_output=True, text=True, check=True)
            assert [one["type"] for one in json.loads(types.stdout)["data"]] == ["counter"]
            assert query(port, 'upstream_agent_web_tls_certificate_not_after_timestamp_seconds'
                         ) == [2208988800]
            counted = 'upstream_agent_http_requests_total{handler="/metrics",code="%s"}'
            wait_for(lambda: (query(port, counted % 200) or [0])[0] >= 3)
            assert query(port, counted % 401) == []
            # Another certificate and another password, as an operator would change them.
            secure.install(folder, "good")
            certs.leaf(folder, "six2", "DNS:localhost,IP:::1", "20200101000000Z", "20350101000000Z")
            secure.install(folder, "six2")
            wait_for(lambda: query(port, 'upstream_agent_web_tls_certificate_not_after_timestamp_'
                                   'seconds') == [2051222400])
            (folder / "password").write_text("wrong")
            wait_for(lambda: query(port, "up") == [0])
            (folder / "password").write_text("se:cret")
            wait_for(lambda: query(port, "up") == [1])


@contextlib.contextmanager
def passed_through(to_port):
    """Listens, hands all on to `to_port`; yields the port and the list of the answers' bytes."""
    answers = []

    def pass_on(source, sink, keep):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if keep is not None:
                    keep += data
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", to_port))
                answers.append(bytearray())
                for pair in ((client, server, None), (server, client, answers[-1])):
                    threading.Thread(target=pass_on, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], answers


def test_what_prometheus_itself_gets_is_openmetrics(tmp_path):
    need("prometheus", "promtool", "curl")
    with agent.running("# nothing to probe\n", tmp_path) as a, passed_through(a.port) as (port, answers):
        settings = f"  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        with prometheus(tmp_path, settings, scheme="http") as own:
            wait_for(lambda: query(own, "up") == [1])
    head, _, body = bytes(answers[0]).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8" in lines
    assert "Content-Encoding: gzip" in lines
    length = int(next(line for line in lines if line.startswith("Content-Length: ")).split()[1])
    assert gzip.decompress(body[:length]).endswith(b"\n# EOF\n")


def test_a_client_certificate_on_both_families(folder):
    config = secure.TLS.format(folder) + (
        f'client_auth_type = "RequireAndVerifyClientCert"\nclient_ca_file = "{folder}/ca.pem"\n'
        'min_version = "TLS13"\n')
    certs.leaf(folder, "client", "DNS:prometheus", "20200101000000Z", "20400101000000Z",
               "extendedKeyUsage=clientAuth\n")
    with secure.running(config, folder, address=":{port}") as a:
        settings = (f"  tls_config: {{ca_file: {folder}/ca.pem, cert_file: {folder}/client.pem, "
                    f"key_file: {folder}/client.key, server_name: localhost}}\n"
                    f"  static_configs: [{{targets: ['[::1]:{a.port}', '127.0.0.1:{a.port}']}}]\n")
        with prometheus(folder, settings) as port:
            wait_for(lambda: query(port, "up") == [1, 1])
        without = settings.replace(f", cert_file: {folder}/client.pem, key_file: "
                                   f"{folder}/client.key", "")
        assert without != settings
        with prometheus(folder, without) as port:
            wait_for(lambda: query(port, "up") == [0, 0])
