# SPDX-License-Identifier: Apache-2.0
"""What is this host's own trouble, or the configuration's: no upstream is down for it."""
import os
import socket
import subprocess
import time

import pytest

from tests.lab import hostile
from tests.lab.faults.fault import Stage, elsewhere, fault
from tests.lab.namespaces import namespaces
from tests.lab.network import namespace
from tests.lab.processes import need, need_mount_namespaces, process


@fault("config_invalid", "this host has no root certificates", scheme="https", timed="connect")
def no_roots(site):
    need_mount_namespaces()
    empty = site.folder / "empty"
    empty.mkdir()
    certificates = site.certificates
    with namespaces({empty: "/etc/ssl/certs"}) as inside:
        listen = ("import ssl, socket, sys\nc = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                  f"c.load_cert_chain('{certificates}/good.pem', '{certificates}/good.key')\n"
                  "s = socket.create_server(('127.0.0.1', 5443))\n"
                  "while True:\n    p, _ = s.accept()\n    p.close()\n")
        with process(*inside, "/usr/bin/python3", "-c", listen):
            time.sleep(0.5)
            yield Stage("https://127.0.0.1:5443/", prefix=tuple(inside))


@fault("config_invalid", "the source address is not this host's", scheme="tcp")
def foreign_source(site):
    with hostile.serving("ok") as (host, port):
        yield Stage(f"tcp://{host}:{port}", keys='source_address = "192.0.2.1"')


elsewhere("local_resources_exhausted", "this process has no descriptors left",
          "test_daemon.py::test_own_descriptors_run_out_and_no_upstream_is_blamed")


@fault("local_resources_exhausted", "this host has no ports left for the destination", scheme="tcp")
def no_ports(site):
    with namespace() as inside:
        subprocess.run([*inside, "sysctl", "-qw", "net.ipv4.ip_local_port_range=20000 20049"], check=True)
        fill = ("import socket, time\ns = socket.create_server(('127.0.0.1', 5000), backlog=100)\nheld = []\n"
                "try:\n    while True: held.append(socket.create_connection(('127.0.0.1', 5000)))\n"
                "except OSError: print(len(held), flush=True)\ntime.sleep(60)\n")
        child = subprocess.Popen([*inside, "/usr/bin/python3", "-c", fill], stdout=subprocess.PIPE, text=True)
        try:
            assert int(child.stdout.readline()) == 50
            yield Stage("tcp://127.0.0.1:5000", prefix=tuple(inside))
        finally:
            child.kill()
            child.wait()


def _as_nobody():
    if os.geteuid() != 0:
        pytest.skip("another user needs root")
    need("setpriv")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@fault("permission_denied", "the socket is closed to this user", scheme="http+unix")
def closed_socket(site):
    folder = site.folder / "open"
    folder.mkdir()
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o755)
    path = str(folder / "closed.sock")
    with hostile.serving("ok", socket.AF_UNIX, path):
        os.chmod(path, 0o600)
        yield Stage(f"http+unix://{path}:/", prefix=_as_nobody())


@fault("permission_denied", "the socket's folder is closed to this user", scheme="tcp+unix")
def closed_folder(site):
    folder = site.folder / "closed"
    folder.mkdir(mode=0o700)
    path = str(folder / "app.sock")
    with hostile.serving("ok", socket.AF_UNIX, path):
        yield Stage(f"tcp+unix://{path}", prefix=_as_nobody())


@fault("permission_denied", "the route says prohibit", scheme="tcp")
def prohibited(site):
    with namespace() as inside:
        subprocess.run([*inside, "ip", "route", "add", "prohibit", "198.51.100.0/24"], check=True)
        yield Stage("tcp://198.51.100.1:9", prefix=tuple(inside))
