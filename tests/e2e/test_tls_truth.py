# SPDX-License-Identifier: Apache-2.0
"""What is said of a chain: whether it verifies even where that is ignored, who is at fault, OCSP."""
import subprocess

import pytest

from tests.lab import agent, certs, hostile
from tests.lab.processes import listening, need, process


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    need("openssl")
    return certs.make(tmp_path_factory.mktemp("pki"))


def ask(port, scheme, pki, folder, more=""):
    tail = "/" if scheme == "https" else ""
    return agent.probe_with(folder, f"{scheme}://127.0.0.1:{port}{tail}",
                            f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n{more}')


def server(pki, name):
    return hostile.serving(hostile.tls_server(pki / f"{name}.pem", pki / f"{name}.key"))


@pytest.mark.parametrize("scheme", ["https", "tls"])
@pytest.mark.parametrize("name,code,error", [
    ("good", 0, ""), ("expired", 10, "certificate has expired"), ("not_yet", 9, "certificate is not yet valid"),
    ("other_name", 62, "hostname mismatch"), ("self_signed", 18, "self-signed certificate")])
def test_what_is_ignored_is_told(scheme, name, code, error, pki, tmp_path):
    with server(pki, name) as (_, port):
        result = ask(port, scheme, pki, tmp_path, "insecure_skip_verify = true")
        assert result["error_class"] == "none", result
        tls = result["tls"]
        assert (tls["verified"], tls["verify_code"], tls["verify_error"]) == (code == 0, code, error)
        assert tls["ocsp"] == "absent"
        tls = ask(port, scheme, pki, tmp_path)["tls"]
        assert (tls["verified"], tls["verify_code"]) == (code == 0, code)


def test_roots_that_are_not_there_do_not_stop_who_ignores_them(pki, tmp_path):
    config = tmp_path / "agent.toml"
    with server(pki, "good") as (_, port):
        (tmp_path / "ca.pem").write_bytes((pki / "ca.pem").read_bytes())
        config.write_text(agent.upstream("lab", f"tls://127.0.0.1:{port}",
                                         f'[upstream.tls]\nca_file = "{tmp_path}/ca.pem"\n'
                                         "insecure_skip_verify = true\n"))
        with agent.running(config.read_text(), tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_probe_tls_verified", upstream="lab") == 1)
            (tmp_path / "ca.pem").unlink()
            a.wait_for(lambda a: a.value("upstream_probe_tls_verified", upstream="lab") == 0)
            assert a.value("upstream_up", upstream="lab") == 1


def test_the_metric_is_true_of_a_chain_that_is_ignored(pki, tmp_path):
    with server(pki, "expired") as (_, port):
        config = agent.upstream("lab", f"https://127.0.0.1:{port}/",
                                f'[upstream.tls]\nca_file = "{pki}/ca.pem"\ninsecure_skip_verify = true\n')
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="lab") == 1)
            assert a.value("upstream_probe_tls_verified", upstream="lab") == 0
            assert a.value("upstream_probe_success", upstream="lab") == 1


@pytest.fixture(scope="module")
def under_an_expired_one(pki):
    certs.leaf(pki, "between", "DNS:between.test", "20200101000000Z", "20210101000000Z",
               "basicConstraints=CA:TRUE\n")
    (pki / "below.cnf").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl(pki, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "below.key", "-out", "below.csr", "-subj", "/CN=below")
    openssl(pki, "x509", "-req", "-in", "below.csr", "-CA", "between.pem", "-CAkey", "between.key",
            "-CAcreateserial", "-days", "300", "-extfile", "below.cnf", "-out", "leaf.pem")
    (pki / "below.pem").write_text((pki / "leaf.pem").read_text() + (pki / "between.pem").read_text())


@pytest.mark.parametrize("more,error_class", [("", "tls_cert_expired"),
                                              ("insecure_skip_verify = true", "none")])
@pytest.mark.parametrize("scheme", ["https", "tls"])
@pytest.mark.usefixtures("under_an_expired_one")
def test_an_expired_certificate_between_is_named(scheme, more, error_class, pki, tmp_path):
    with server(pki, "below") as (_, port):
        result = ask(port, scheme, pki, tmp_path, more)
    assert result["error_class"] == error_class, result
    tls = result["tls"]
    assert (tls["verified"], tls["verify_code"]) == (False, 10)
    assert tls["verify_error"].endswith("certificate has expired; it is the certificate of /CN=between")
    assert tls["chain_not_after_timestamp"] == 1609459200 < tls["not_after_timestamp"]


def staple(pki, name, signer="ca"):
    openssl(pki, "ocsp", "-issuer", "ca.pem", "-cert", f"{name}.pem", "-reqout", "request.der")
    openssl(pki, "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", f"{signer}.pem", "-rkey",
            f"{signer}.key", "-reqin", "request.der", "-respout", "response.der", "-ndays", "1")


@pytest.mark.parametrize("name,signer,state", [
    ("good", "ca", "good"), ("withdrawn", "ca", "revoked"), ("good", "self_signed", "invalid")])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_the_ocsp_answer_that_is_stapled(version, name, signer, state, pki, tmp_path):
    if name == "withdrawn":
        certs.leaf(pki, name, "DNS:localhost,IP:127.0.0.1", "20200101000000Z", "20400101000000Z")
        openssl(pki, "ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-revoke",
                f"{name}.pem")
    staple(pki, name, signer)
    port = agent.free_port()
    with process("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{name}.pem", "-key",
                 f"{name}.key", "-cert_chain", "ca.pem", "-status_file", "response.der", "-quiet", version,
                 cwd=pki, stdin=subprocess.PIPE):
        listening(port)
        result = ask(port, "tls", pki, tmp_path)
    assert result["error_class"] == "none", result
    assert (result["tls"]["ocsp"], result["tls"]["verified"]) == (state, True)
