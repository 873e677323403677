# SPDX-License-Identifier: Apache-2.0
"""Real servers that speak STARTTLS, each with a private configuration and the lab's certificates."""
import contextlib
import os
import pathlib
import shutil
import subprocess

from tests.lab import agent
from tests.lab.processes import listening, need, process


@contextlib.contextmanager
def dovecot(folder, pki, tls=True):
    """IMAP, POP3 and submission; yields their ports by protocol."""
    need("dovecot")
    ports = {"imap": agent.free_port(), "pop3": agent.free_port(), "smtp": agent.free_port()}
    conf = folder / "dovecot.conf"

    def login(service, name, protocol):
        return (f"service {service}-login {{\n inet_listener {name} {{\n  address = 127.0.0.1\n"
                f"  port = {ports[protocol]}\n }}\n inet_listener {name}s {{\n  port = 0\n }}\n}}\n")

    conf.write_text(
        f"base_dir = {folder}/run\nstate_dir = {folder}/state\nlog_path = {folder}/dovecot.log\n"
        "protocols = imap pop3 submission\nhostname = lab.test\nlisten = 127.0.0.1\n"
        f"ssl = {'yes' if tls else 'no'}\nssl_cert = <{pki}/good.pem\nssl_key = <{pki}/good.key\n"
        "default_internal_user = nobody\ndefault_internal_group = nogroup\n"
        "default_login_user = nobody\nsubmission_relay_host = 127.0.0.1\n"
        "passdb {\n driver = static\n args = nopassword=y\n}\n"
        "userdb {\n driver = static\n args = uid=65534 gid=65534 home=/nonexistent\n}\n" +
        login("imap", "imap", "imap") + login("pop3", "pop3", "pop3") +
        login("submission", "submission", "smtp"))
    for part in [folder, *folder.parents]:
        if str(part).startswith("/tmp/"):
            os.chmod(part, 0o755)
    with process("dovecot", "-F", "-c", str(conf)):
        for port in ports.values():
            listening(port)
        yield ports


@contextlib.contextmanager
def vsftpd(folder, pki, tls=True, more=""):
    need("vsftpd")
    port = agent.free_port()
    conf = folder / "vsftpd.conf"
    (folder / "empty").mkdir(exist_ok=True)
    conf.write_text(
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n"
        f"anonymous_enable=YES\nsecure_chroot_dir={folder}/empty\nseccomp_sandbox=NO\n"
        f"xferlog_enable=NO\nssl_enable={'YES' if tls else 'NO'}\nallow_anon_ssl=YES\n"
        "ssl_tlsv1=NO\nssl_ciphers=HIGH\n"
        f"rsa_cert_file={pki}/good.pem\nrsa_private_key_file={pki}/good.key\n{more}")
    with process("vsftpd", str(conf)):
        listening(port)
        yield port


@contextlib.contextmanager
def postgres(folder, pki, tls=True):
    """As nobody: it does not run as root."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        need("initdb")
    data, port = folder / "data", agent.free_port()
    as_nobody = []
    if os.geteuid() == 0:
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        data.mkdir()
        os.chown(data, 65534, 65534)
        for part in [folder, *folder.parents]:
            if str(part).startswith("/tmp/"):
                os.chmod(part, 0o755)
    subprocess.run([*as_nobody, str(programs[-1] / "initdb"), "-D", str(data), "-A", "trust", "-U",
                    "lab", "--no-sync", "--no-locale", "-E", "UTF8"], check=True,
                   capture_output=True, cwd="/")
    for kind in ("pem", "key"):
        shutil.copy(pki / f"good.{kind}", data / f"server.{kind}")
        if as_nobody:
            os.chown(data / f"server.{kind}", 65534, 65534)
        os.chmod(data / f"server.{kind}", 0o600)
    with process(*as_nobody, str(programs[-1] / "postgres"), "-D", str(data), "-p", str(port), "-k", "",
                 "-c", "listen_addresses=127.0.0.1", "-c", f"ssl={'on' if tls else 'off'}",
                 "-c", "ssl_cert_file=server.pem", "-c", "ssl_key_file=server.key", "-c",
                 "shared_buffers=1MB", "-c", "fsync=off", cwd="/"):
        listening(port)
        yield port


@contextlib.contextmanager
def mariadb(folder, pki, tls=True, more=()):
    """Without its system tables: nobody logs in."""
    need("mariadbd")
    data, port = folder / "data", agent.free_port()
    data.mkdir()
    secure = [f"--ssl-cert={pki}/good.pem", f"--ssl-key={pki}/good.key"] if tls else ["--skip-ssl"]
    with process("mariadbd", "--no-defaults", f"--datadir={data}", "--bind-address=127.0.0.1",
                 f"--port={port}", f"--socket={folder}/m.sock", f"--pid-file={folder}/m.pid",
                 "--skip-grant-tables", "--innodb-buffer-pool-size=8M",
                 f"--user={user()}", *secure, *more):
        listening(port)
        yield port


def user():
    return "root" if os.geteuid() == 0 else str(os.geteuid())
