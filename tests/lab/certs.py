# SPDX-License-Identifier: Apache-2.0
"""Certificates made at test time with the openssl command."""
import pathlib
import subprocess


def _openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


def make(folder: pathlib.Path):
    """A CA and leaves: good, expired, not_yet, other_name; self_signed; all `NAME.pem`, `NAME.key`."""
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=Lab CA",
             cwd=folder)
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", "self_signed.key", "-out", "self_signed.pem", "-days", "30", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", cwd=folder)
    leaf(folder, "good", "DNS:localhost,IP:127.0.0.1", "20200101000000Z", "20400101000000Z")
    leaf(folder, "expired", "DNS:localhost,IP:127.0.0.1", "20200101000000Z", "20210101000000Z")
    leaf(folder, "not_yet", "DNS:localhost,IP:127.0.0.1", "20390101000000Z", "20400101000000Z")
    leaf(folder, "other_name", "DNS:other.test", "20200101000000Z", "20400101000000Z")
    return folder


def clients(folder):
    """Client certificates beside make()'s: `client` of the CA; `stranger` and `stale`, which no server
    that trusts the CA takes; `encrypted.key`, the key of `client` with a passphrase."""
    leaf(folder, "client", "DNS:probe.test", "20200101000000Z", "20400101000000Z")
    leaf(folder, "stale", "DNS:probe.test", "20200101000000Z", "20210101000000Z")
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", "stranger.key", "-out", "stranger.pem", "-days", "30", "-subj", "/CN=stranger",
             cwd=folder)
    _openssl("pkey", "-in", "client.key", "-aes256", "-passout", "pass:secret", "-out",
             "encrypted.key", cwd=folder)
    for name in ("client", "stale", "stranger", "encrypted"):
        (folder / f"{name}.key").chmod(0o600)
    return folder


def leaf(folder, name, names, begin, end, extensions=""):
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=lab\n[lab]\nnew_certs_dir=.\ndatabase=index.txt\nserial=serial\n"
        "default_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n"
    )
    (folder / "index.txt").touch()
    if not (folder / "serial").exists():
        (folder / "serial").write_text("01")
    (folder / "names.cnf").write_text(f"subjectAltName={names}\n{extensions}")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", cwd=folder)
    _openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in",
             f"{name}.csr", "-out", f"{name}.pem", "-startdate", begin, "-enddate", end,
             "-extfile", "names.cnf", "-notext", cwd=folder)
