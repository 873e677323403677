# SPDX-License-Identifier: Apache-2.0
"""Connections that are not made: processes, firewalls, routes, queues."""
import contextlib
import socket
import subprocess
import time

from tests.lab import agent, hostile
from tests.lab.faults.fault import Stage, fault
from tests.lab.network import namespace
from tests.lab.processes import process

PORT = 5000
LISTEN = f"import socket, time\ns = socket.create_server(('127.0.0.1', {PORT}))\ntime.sleep(60)\n"


@fault("connect_refused", "nothing listens on the port")
def nothing_listens(site):
    yield Stage(f"http://127.0.0.1:{agent.free_port()}/")


@fault("connect_refused", "nothing listens on the port, over IPv6", scheme="tcp")
def nothing_listens_six(site):
    yield Stage(f"tcp://[::1]:{agent.free_port()}")


@fault("connect_refused", "the listener has another address", scheme="tcp")
def another_address(site):
    with hostile.serving("ok", address=("127.0.0.2", 0)) as (_, port):
        yield Stage(f"tcp://127.0.0.1:{port}")


@fault("connect_refused", "there is no such socket", scheme="http+unix")
def no_socket(site):
    yield Stage(f"http+unix://{site.folder}/none.sock:/")


@fault("connect_refused", "the socket's process is gone", scheme="tcp+unix")
def left_behind(site):
    path = str(site.folder / "left.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
    yield Stage(f"tcp+unix://{path}")


FIREWALL = [
    ("connect_refused", "a firewall rejects with a reset", ["REJECT", "--reject-with", "tcp-reset"]),
    ("connect_firewall_rejected", "a firewall rejects (port unreachable)", ["REJECT"]),
    ("connect_firewall_rejected", "a firewall rejects (administratively prohibited)",
     ["REJECT", "--reject-with", "icmp-admin-prohibited"]),
    ("connect_firewall_rejected", "a firewall rejects (host prohibited)",
     ["REJECT", "--reject-with", "icmp-host-prohibited"]),
    ("connect_timeout", "a firewall drops what comes in", ["DROP"]),
    ("unreachable", "a firewall rejects (host unreachable)",
     ["REJECT", "--reject-with", "icmp-host-unreachable"]),
    ("unreachable", "a firewall rejects (network unreachable)",
     ["REJECT", "--reject-with", "icmp-net-unreachable"]),
]


def _behind_a_firewall(error_class, name, rule):
    @fault(error_class, name, scheme="tcp")
    def stand(site):
        with namespace() as inside:
            subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j",
                            *rule], check=True)
            yield Stage(f"tcp://127.0.0.1:{PORT}", prefix=tuple(inside))


for _row in FIREWALL:
    _behind_a_firewall(*_row)


@contextlib.contextmanager
def _listening(inside):
    with process(*inside, "/usr/bin/python3", "-c", LISTEN):
        time.sleep(0.5)
        yield


@fault("connect_firewall_rejected", "a firewall resets before a process that listens", scheme="tcp")
def reset_before_a_listener(site):
    with namespace() as inside, _listening(inside):
        subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j",
                        "REJECT", "--reject-with", "tcp-reset"], check=True)
        yield Stage(f"tcp://127.0.0.1:{PORT}", prefix=tuple(inside))


@fault("connect_timeout", "the answers are dropped on their way back", scheme="tcp")
def answers_dropped(site):
    with namespace() as inside, _listening(inside):
        subprocess.run([*inside, "iptables", "-A", "OUTPUT", "-p", "tcp", "--sport", str(PORT), "-j",
                        "DROP"], check=True)
        yield Stage(f"tcp://127.0.0.1:{PORT}", prefix=tuple(inside))


DEVICE = "lab0"


def _network(inside, *commands):
    """192.0.2.0/24, where nobody is but us."""
    for command in (f"ip link add {DEVICE} type veth peer name lab1", f"ip addr add 192.0.2.1/24 dev {DEVICE}",
                    f"ip link set {DEVICE} up", "ip link set lab1 up", *commands):
        subprocess.run([*inside, *command.split()], check=True)


@fault("connect_timeout", "nobody takes what is sent to the address", scheme="tcp")
def swallowed(site):
    with namespace() as inside:
        _network(inside, f"ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev {DEVICE}")
        yield Stage(f"tcp://192.0.2.9:{PORT}", prefix=tuple(inside))


@fault("listen_queue_full", "the accept queue is full", scheme="tcp")
def queue_is_full(site):
    with hostile.full_backlog() as (host, port):
        yield Stage(f"tcp://{host}:{port}")


@fault("listen_queue_full", "the accept queue of a socket is full", scheme="http+unix")
def unix_queue_is_full(site):
    path = str(site.folder / "full.sock")
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket(socket.AF_UNIX))
        full.bind(path)
        full.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket(socket.AF_UNIX))
            filler.setblocking(False)
            filler.connect_ex(path)
        yield Stage(f"http+unix://{path}:/")


def _routed(error_class, name, route):
    @fault(error_class, name, scheme="tcp")
    def stand(site):
        with namespace() as inside:
            _network(inside, "ip route add default via 192.0.2.254", *route)
            yield Stage(f"tcp://198.51.100.1:{PORT}", prefix=tuple(inside), timeout=5)


for _row in [
    ("unreachable", "the route says unreachable", ["ip route add unreachable 198.51.100.0/24"]),
    ("unreachable", "the gateway does not answer", []),
]:
    _routed(*_row)
