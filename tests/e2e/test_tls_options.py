# SPDX-License-Identifier: Apache-2.0
"""[upstream.tls]: the agent's own certificate and the oldest version, against servers that demand them."""
import json
import shutil
import ssl
import subprocess

import pytest

from tests.lab import agent, certs, hanging, hostile
from tests.lab.processes import listening, need, nginx_serving, node, process


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return certs.clients(certs.make(tmp_path_factory.mktemp("pki")))


def with_client(pki, name, key=None):
    return (f'[upstream.tls]\nca_file = "{pki}/ca.pem"\ncert_file = "{pki}/{name}.pem"\n'
            f'key_file = "{pki}/{key or name}.key"\n')


def without_client(pki):
    return f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n'


NODE = """
const fs = require('fs'), https = require('https');
const [port, pki, version] = process.argv.slice(2);
https.createServer({key: fs.readFileSync(pki + '/good.key'), cert: fs.readFileSync(pki + '/good.pem'),
                    ca: fs.readFileSync(pki + '/ca.pem'), requestCert: true, rejectUnauthorized: true,
                    minVersion: version, maxVersion: version},
                   (request, response) => response.end(request.socket.getPeerCertificate().subject.CN)
                  ).listen(+port, '127.0.0.1');
"""


@pytest.fixture(scope="module", params=["python", "openssl", "node", "nginx"])
def server_kind(request):
    return request.param


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def demanding(request, server_kind, pki, tmp_path_factory):
    """A port where that version is spoken and a certificate of the CA is demanded."""
    version, port = request.param, agent.free_port()
    folder = tmp_path_factory.mktemp(server_kind)
    if server_kind == "python":
        number = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
        serve = hostile.tls_server(pki / "good.pem", pki / "good.key", pki / "ca.pem", number)
        with hostile.serving(serve) as (_, port):
            yield port
        return
    if server_kind == "openssl":
        need("openssl")
        with process("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
                     f"{pki}/good.pem", "-key", f"{pki}/good.key", "-CAfile", f"{pki}/ca.pem",
                     "-Verify", "3", "-verify_return_error", "-www", f"-tls{version.replace('.', '_')}",
                     stdin=subprocess.PIPE):
            listening(port)
            yield port
    if server_kind == "node":
        need("node")
        with node(folder, NODE, str(port), str(pki), f"TLSv{version}", port=port):
            yield port
    if server_kind == "nginx":
        need("nginx")
        with nginx_serving(folder, (
                f"server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv{version};"
                f" ssl_certificate {pki}/good.pem; ssl_certificate_key {pki}/good.key;"
                f" ssl_client_certificate {pki}/ca.pem; ssl_verify_client on;"
                ' location / { return 200 "$ssl_client_s_dn"; } }')):
            listening(port)
            yield port


def serving(pki, serve, version=None, clients=ssl.CERT_REQUIRED):
    """Serves so to clients that show a certificate of the CA, or may."""
    context = hostile.tls_context(pki / "good.pem", pki / "good.key", pki / "ca.pem", version, clients)
    return hostile.serving(hostile.over_tls(context, serve))


def ask(port, tables, folder):
    return agent.probe_with(folder, f"https://127.0.0.1:{port}/", tables)


def test_the_certificate_that_is_demanded(demanding, server_kind, pki, tmp_path):
    tables = with_client(pki, "client")
    if server_kind in ("node", "nginx"):
        tables += '[upstream.http]\nexpect_body = "client"\n'
    result = ask(demanding, tables, tmp_path)
    assert result["error_class"] == "none", result
    assert result["tls"]["verified"]


@pytest.mark.parametrize("name", [None, "stranger", "stale"])
def test_no_certificate_and_one_that_is_not_taken(name, demanding, server_kind, pki, tmp_path):
    for _ in range(10):  # which of alert, FIN and RST is seen first is a race
        result = ask(demanding, with_client(pki, name) if name else without_client(pki), tmp_path)
        if server_kind == "node" and name and result["tls"]:
            # With TLS 1.3 Node closes after the handshake and says nothing, as if it had crashed.
            assert result["tls"]["version"] == "TLSv1.3"
            assert result["phase"] == "response_headers", result
            assert "cert_requested" in result["detail"]
            continue
        assert (result["error_class"], result["phase"]) == ("tls_client_cert_required", "tls"), result


def test_a_request_is_optional_where_the_server_only_asks(pki, tmp_path):
    with serving(pki, hostile.SCENARIOS["ok"], clients=ssl.CERT_OPTIONAL) as (_, port):
        assert ask(port, without_client(pki), tmp_path)["error_class"] == "none"
        assert ask(port, with_client(pki, "client"), tmp_path)["error_class"] == "none"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_crash_after_an_accepted_certificate_is_the_application_s(version, pki, tmp_path):
    with serving(pki, hostile.SCENARIOS["fin"], version) as (_, port):
        for _ in range(10):
            result = ask(port, with_client(pki, "client"), tmp_path)
            assert result["error_class"] in ("closed_before_headers", "reset_before_headers"), result


def check(folder, tables):
    config = folder / "check.toml"
    config.write_text(f'[[upstream]]\nname = "lab"\ntargets = ["https://127.0.0.1/"]\n{tables}')
    done = subprocess.run([agent.binary(), "check", f"--config.file={config}"], capture_output=True,
                          text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def test_check_finds_what_is_wrong_with_the_files(pki, tmp_path):
    assert check(tmp_path, with_client(pki, "client"))[0] == 0
    wrong = [
        (with_client(pki, "client", "stranger"),
         "7:12: upstream.tls.key_file: cert_file and key_file are no certificate and the key that "
         "belongs to it"),
        (with_client(pki, "client", "encrypted"),
         f"7:12: upstream.tls.key_file: {pki}/encrypted.key is encrypted, and there is nobody to ask "
         f"for its passphrase; write it without one: openssl pkey -in {pki}/encrypted.key -out NEW"),
        (f'[upstream.tls]\ncert_file = "{pki}/client.key"\nkey_file = "{pki}/client.pem"\n',
         f"5:13: upstream.tls.cert_file: {pki}/client.key holds no PEM certificate"),
    ]
    (pki / "open.key").write_bytes((pki / "client.key").read_bytes())
    (pki / "open.key").chmod(0o640)
    wrong.append((with_client(pki, "client", "open"),
                  f"7:12: upstream.tls.key_file: {pki}/open.key can be read by others; run chmod 600 "
                  f"{pki}/open.key"))
    (pki / "cut.pem").write_text((pki / "client.pem").read_text().replace("MII", "MIIA", 1))
    wrong.append((with_client(pki, "cut", "client"),
                  "7:12: upstream.tls.key_file: cert_file and key_file are no certificate and the key"))
    for tables, message in wrong:
        status, output = check(tmp_path, tables)
        assert (status, message in output) == (78, True), output
        assert "PRIVATE" not in output


def test_files_that_change_are_read_again(pki, tmp_path):
    cert, key = tmp_path / "own.pem", tmp_path / "own.key"

    def install(name):
        for source, target in ((pki / f"{name}.key", key), (pki / f"{name}.pem", cert)):
            shutil.copy(source, f"{target}.new")
            target.with_name(target.name + ".new").rename(target)

    install("stranger")
    serve = hostile.tls_server(pki / "good.pem", pki / "good.key", pki / "ca.pem")
    with hostile.serving(serve) as (host, port):
        config = (agent.upstream("lab", f"https://{host}:{port}/") +
                  f'[upstream.tls]\nca_file = "{pki}/ca.pem"\ncert_file = "{cert}"\nkey_file = "{key}"\n')
        with agent.running(config, tmp_path) as a:
            def code(wanted):
                a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == wanted)

            code(17)
            install("client")
            a.wait_for(lambda a: a.value("upstream_up", upstream="lab") == 1)
            # Local trouble, which says nothing of the upstream: a key of another pair, an open one, none.
            shutil.copy(pki / "stranger.key", key)
            code(1)
            shutil.copy(pki / "client.key", key)
            code(0)
            key.chmod(0o644)
            code(1)
            key.chmod(0o600)
            code(0)
            cert.unlink()
            code(1)
            assert a.value("upstream_up", upstream="lab") == 1


def test_files_that_hang_are_gone_on_without(pki, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for kind in ("pem", "key"):
        shutil.copy(pki / f"client.{kind}", own)
    with serving(pki, hostile.SCENARIOS["ok"]) as (host, port):
        config = (agent.upstream("lab", f"https://{host}:{port}/") +
                  f'[upstream.tls]\nca_file = "{pki}/ca.pem"\ncert_file = "{own}/client.pem"\n'
                  f'key_file = "{own}/client.key"\n')
        with agent.running(config, tmp_path, env=hanging.environment()) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="lab") == 1)
            with hanging.directory(own):
                hanging.wait_for(a.process)
                # Those that wait for the files fail, as local trouble; then what was read before holds.
                a.wait_for(lambda a: a.value("upstream_agent_local_errors_total",
                                             reason="config_invalid") > 0)
                a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == 0)
                assert a.value("upstream_up", upstream="lab") == 1


def test_the_suggested_command_sees_what_the_probe_saw(pki, tmp_path):
    with serving(pki, hostile.SCENARIOS["status_503"]) as (_, port):
        result = ask(port, with_client(pki, "client"), tmp_path)
    assert result["error_class"] == "http_503", result
    with serving(pki, hostile.SCENARIOS["status_503"]) as (_, other):
        command = result["command"].replace(f":{port}/", f":{other}/")
        seen = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20, check=False)
    assert seen.stdout.startswith("HTTP/1.1 503"), (command, seen)


def test_root_certificates_that_hang_are_gone_on_with(pki, tmp_path):
    roots = tmp_path / "roots"
    roots.mkdir()
    shutil.copy(pki / "ca.pem", roots)
    with serving(pki, hostile.SCENARIOS["ok"], clients=ssl.CERT_NONE) as (host, port):
        config = (agent.upstream("lab", f"https://{host}:{port}/") +
                  f'[upstream.tls]\nca_file = "{roots}/ca.pem"\n' +
                  agent.upstream("plain", f"tcp://{host}:{port}"))
        with agent.running(config, tmp_path, env=hanging.environment()) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="lab") == 1)
            with hanging.directory(roots):
                hanging.wait_for(a.process)
                # Who waits for the file fails, as local trouble; then what was read before holds.
                a.wait_for(lambda a: a.value("upstream_agent_local_errors_total",
                                             reason="config_invalid") > 0)
                a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == 0)
                assert a.value("upstream_up", upstream="lab") == 1
                # And the loop went on all the time.
                before = a.value("upstream_probe_attempts_total", upstream="plain")
                a.wait_for(lambda a: a.value("upstream_probe_attempts_total",
                                             upstream="plain") > before + 2)


def test_root_certificates_that_are_gone_are_told_as_ours(pki, tmp_path):
    ca = tmp_path / "ca.pem"
    shutil.copy(pki / "ca.pem", ca)
    with serving(pki, hostile.SCENARIOS["ok"], clients=ssl.CERT_NONE) as (host, port):
        config = agent.upstream("lab", f"https://{host}:{port}/") + f'[upstream.tls]\nca_file = "{ca}"\n'
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="lab") == 1)
            ca.unlink()
            a.wait_for(lambda a: a.value("upstream_agent_local_errors_total",
                                         reason="config_invalid") > 0)
            assert a.value("upstream_up", upstream="lab") == 1
            shutil.copy(pki / "ca.pem", ca)
            a.wait_for(lambda a: a.value("upstream_probe_result_code", upstream="lab") == 0)


def test_the_certificate_is_not_for_another_origin(pki, tmp_path):
    seen = {}

    def server(name, answer):
        def serve(peer, stop):
            hostile.read_request(peer)
            seen[name] = peer.getpeercert()
            peer.sendall(answer)

        return serving(pki, serve, clients=ssl.CERT_OPTIONAL)

    with server("there", hostile.reply(b"200 OK")) as (_, other):
        where = b"Location: https://127.0.0.1:%d/\r\n" % other
        with server("here", hostile.reply(b"302 Found", headers=where)) as (_, port):
            result = ask(port, with_client(pki, "client") +
                         "[upstream.http]\nfollow_redirects = true\n", tmp_path)
    assert result["error_class"] == "none", result
    assert seen["here"]["subject"][0][0] == ("commonName", "client")
    assert not seen["there"]


def old_server(pki, version):
    context = hostile.tls_context(pki / "good.pem", pki / "good.key", version=version)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return hostile.serving(hostile.over_tls(context, hostile.SCENARIOS["ok"]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("offered", ["1.0", "1.1", "1.2", "1.3"])
def test_the_oldest_version(offered, pki, tmp_path):
    version = ssl.TLSVersion["TLSv" + offered.replace(".", "_").replace("1_0", "1")]
    with old_server(pki, version) as (_, port):
        for oldest in (None, "1.0", "1.1", "1.2", "1.3"):
            tables = without_client(pki) + (f'min_version = "{oldest}"\n' if oldest else "")
            result = ask(port, tables, tmp_path)
            if offered >= (oldest or "1.2"):
                assert result["error_class"] == "none", (oldest, result)
                assert result["tls"]["version"] in (f"TLSv{offered}", "TLSv1"), result
            else:
                assert result["error_class"] == "tls_handshake_failed", (oldest, result)
                assert "second_look" in json.dumps(result)
