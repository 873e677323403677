# SPDX-License-Identifier: Apache-2.0
"""An agent that serves over TLS, or to users with a password, and curl to ask it."""
import contextlib
import functools
import subprocess

from tests.lab import agent, certs

TLS = '[web.tls_server_config]\ncert_file = "{0}/server.pem"\nkey_file = "{0}/server.key"\n'


def install(folder, name):
    """Puts a pair of certs.make() in the place of the one that is served, the key first."""
    for kind in ("key", "pem"):
        replace(folder / f"server.{kind}", (folder / f"{name}.{kind}").read_bytes())


def replace(path, content, mode=0o600):
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(mode)
    new.rename(path)


class Secure(agent.Agent):
    """Asked for its own figures over a Unix socket, which stays plain."""

    def __init__(self, folder, user, process, port, prefix):
        super().__init__(process, port, prefix)
        self.folder = folder
        self.user = ["-u", user] if user else []

    def curl(self, path="/-/healthy", *options, host="localhost", scheme="https"):
        """(status, body, what curl complains of); status 0 where there was no answer."""
        done = subprocess.run(
            [*self.prefix, "curl", "-sS", "-m", "20", "--cacert", str(self.folder / "ca.pem"), "-w",
             "\\n%{http_code}", *options, f"{scheme}://{host}:{self.port}{path}"],
            capture_output=True, text=True, check=False)
        body, _, code = done.stdout.rpartition("\n")
        return int(code), body, done.stderr

    def local(self, path, *options):
        done = subprocess.run(
            ["curl", "-sS", "-m", "20", "--unix-socket", str(self.folder / "agent.sock"),
             *self.user, *options, f"http://localhost{path}"],
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr)
        return done.stdout

    def get(self, path, headers=None):
        return self.local(path)

    def post(self, path):
        return self.local(path, "-X", "POST")

    def log(self):
        return (self.folder / "agent.log").read_text()


@contextlib.contextmanager
def running(config, folder, user=None, prefix=(), address="127.0.0.1:{port}"):
    """With the lab's certificates in `folder`; TLS only where the configuration says so."""
    with agent.running(config, folder, prefix, listen=(address, f"unix:{folder}/agent.sock"),
                       kind=functools.partial(Secure, folder, user)) as a:
        yield a


def certificates(folder):
    certs.make(folder)
    install(folder, "good")
    return folder
