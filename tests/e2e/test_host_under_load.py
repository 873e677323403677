# SPDX-License-Identifier: Apache-2.0
"""The host's counters beside the kernel's own files while something happens, in a network namespace
where nothing else does."""
import contextlib
import pathlib
import re
import subprocess
import time

import pytest

from tests.e2e.test_host_vs_node_exporter import parse
from tests.lab import agent, hanging
from tests.lab.network import namespace
from tests.lab.processes import need_mount_namespaces

CONFIG = '[host]\ninterval = "1s"\n'
FILES = ["/proc/net/snmp", "/proc/net/netstat", "/proc/net/dev", "/proc/net/sockstat",
         "/proc/sys/net/netfilter/nf_conntrack_count"]
TCP = {
    "host_tcp_opened_connections_total": "Tcp.ActiveOpens",
    "host_tcp_accepted_connections_total": "Tcp.PassiveOpens",
    "host_tcp_failed_connections_total": "Tcp.AttemptFails",
    "host_tcp_established_resets_total": "Tcp.EstabResets",
    "host_tcp_sent_resets_total": "Tcp.OutRsts",
    "host_tcp_sent_segments_total": "Tcp.OutSegs",
    "host_tcp_retransmitted_segments_total": "Tcp.RetransSegs",
    "host_tcp_listen_overflows_total": "TcpExt.ListenOverflows",
    "host_tcp_listen_drops_total": "TcpExt.ListenDrops",
}
COLUMNS = {"bytes": 0, "packets": 1, "errors": 2, "drops": 3}

# 200 connections that end orderly, 100 that end by a reset, 30 that are refused, 2 MB of data.
TRAFFIC = """
import socket, struct
listener = socket.create_server(("127.0.0.1", 7000), backlog=64)
for i in range(300):
    client = socket.create_connection(("127.0.0.1", 7000))
    server, _ = listener.accept()
    client.sendall(b"x" * 7000)
    got = 0
    while got < 7000:
        got += len(server.recv(65536))
    if i < 100:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()
for i in range(30):
    with socket.socket() as refused:
        refused.connect_ex(("127.0.0.1", 7001))
"""

# A queue of one with nobody to accept: the third connection and those after it overflow it.
OVERFLOW = """
import socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 7002))
listener.listen(1)
clients = []
for i in range(40):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", 7002))
    clients.append(client)
time.sleep(2.5)  # the kernel asks again after a second
"""

# 57 frames that nobody takes (drops on the way in), 31 and 23 that cannot be sent (errors, drops on
# the way out), 19 that arrive damaged, and some thousand good ones.
FRAMES = """
import socket
frame = b"\\xff" * 6 + b"\\x02\\0\\0\\0\\0\\1"
def raw(device, kind, count):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        for _ in range(count):
            s.send(frame + kind + b"E" + b"\\0" * 99)
raw("wire0", b"\\x88\\xb5", 57)
raw("vx9", b"\\x08\\x00", 31)
raw("vx8", b"\\x08\\x00", 23)
inner = (frame + b"\\x08\\x00" + bytes([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
         + b"\\0" * 8)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 3)  # congested outside, not capable inside
for _ in range(19):
    udp.sendto(bytes([8, 0, 0, 0, 0, 0, 5, 0]) + inner, ("127.0.0.1", 4789))
for _ in range(3000):
    udp.sendto(b"y" * 500, ("127.0.0.1", 9))
"""

INTERFACES = [
    "ip link add wire0 type veth peer name wire1", "ip link set wire0 up", "ip link set wire1 up",
    "ip link add veth77 type veth peer name wire2",  # by its name a container's
    "ip link add vx9 type vxlan id 5 remote 203.0.113.1 dstport 4789", "ip link set vx9 up",
    "ip link add vx8 type vxlan id 6 dstport 4790", "ip link set vx8 up",
]


def run(inside, *command):
    return subprocess.run([*inside, *command], capture_output=True, text=True, check=True).stdout


def python(inside, script):
    run(inside, "/usr/bin/python3", "-c", script)


def kernel(inside):
    """{"Tcp.OutSegs": n, "eth0": [16 columns], "conntrack": n}"""
    text = run(inside, "cat", *FILES)
    result = {}
    for heads, values in re.findall(r"^(\w+: [A-Z].*)\n(\w+: [-\d].*)$", text, re.M):
        protocol, *names = heads.replace(":", "").split()
        result.update(zip((f"{protocol}.{name}" for name in names), map(int, values.split()[1:])))
    for interface, columns in re.findall(r"^ *([\w-]+): *((?:\d+ +){15}\d+)$", text, re.M):
        result[interface] = list(map(int, columns.split()))
    result["conntrack"] = int(text.splitlines()[-1])
    return result


def ours(running):
    """As a scrape that takes no port of the range has it."""
    url = f"http://127.0.0.1:{running.port}/metrics"
    return parse(run(running.prefix, "curl", "-s", "-m", "10", "--local-port", "61000-64000", url))


def settled(running):
    """The kernel's figures, the agent's of a sample after them, and the kernel's after that."""
    before = kernel(running.prefix)
    time.sleep(2.2)  # a sample a second
    found = ours(running)
    return before, found, kernel(running.prefix)


def within(before, found, after):
    """In between, and that is within 1 %: but for our own scrape nothing happened."""
    return before <= found <= after and after - before <= 0.01 * after


@contextlib.contextmanager
def agent_inside(tmp_path):
    with namespace() as inside:
        run(inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")  # no chatter
        with agent.running(CONFIG, tmp_path, prefix=inside) as running:
            running.wait_for(lambda a: a.value("host_tcp_sent_segments_total") is not None)
            yield running


def test_tcp_counters_are_the_kernels(tmp_path):
    with agent_inside(tmp_path) as running:
        inside = running.prefix
        start = kernel(inside)
        python(inside, TRAFFIC)
        python(inside, OVERFLOW)
        for _ in range(5):  # a SYN that waits for its third try may fall in between
            before, found, after = settled(running)
            wrong = {name: (before[key], found[name, ()], after[key])
                     for name, key in TCP.items()
                     if not within(before[key], found[name, ()], after[key])}
            if not wrong:
                break
        assert wrong == {}
        grown = {name: found[name, ()] - start[key] for name, key in TCP.items()}
        # 300 and the two that the full queue takes; polls of the agent besides.
        assert 302 <= grown["host_tcp_accepted_connections_total"] <= 330
        assert 370 <= grown["host_tcp_opened_connections_total"] <= 400
        assert 100 <= grown["host_tcp_established_resets_total"] <= 210
        assert grown["host_tcp_sent_resets_total"] >= 130
        assert grown["host_tcp_failed_connections_total"] == 30
        # 38 tried at once and again after a second.
        assert grown["host_tcp_listen_overflows_total"] >= 2 * 38
        assert grown["host_tcp_listen_drops_total"] >= grown["host_tcp_listen_overflows_total"]
        assert grown["host_tcp_retransmitted_segments_total"] >= 38
        assert found["upstream_agent_collector_success", (("collector", "tcp"),)] == 1


def test_interface_counters_are_the_kernels(tmp_path):
    with agent_inside(tmp_path) as running:
        inside = running.prefix
        for command in INTERFACES:
            made = subprocess.run([*inside, *command.split()], capture_output=True, text=True,
                                  check=False)
            if made.returncode:
                pytest.skip(f"{command}: {made.stderr.strip()}")
        time.sleep(0.5)
        python(inside, FRAMES)
        before, found, after = settled(running)
        for interface in ("lo", "wire0", "wire1", "vx8", "vx9"):
            for direction, first in (("receive", 0), ("transmit", 8)):
                for what, column in COLUMNS.items():
                    name = f"host_network_{direction}_{what}_total"
                    at = first + column
                    value = found[name, (("interface", interface),)]
                    assert within(before[interface][at], value, after[interface][at]), \
                        (interface, name, before[interface][at], value, after[interface][at])
        value = {(name, pairs[0][1]): number for (name, pairs), number in found.items()
                 if name.startswith("host_network_") and pairs}
        assert value["host_network_receive_drops_total", "wire1"] == 57
        assert value["host_network_transmit_errors_total", "vx9"] == 31
        assert value["host_network_transmit_drops_total", "vx8"] == 23
        assert value["host_network_receive_errors_total", "vx9"] == 19
        assert value["host_network_receive_packets_total", "lo"] >= 3000
        assert ("host_network_receive_bytes_total", "veth77") not in value
        assert found["host_network_interfaces_left_out", ()] == 1


def test_ports_are_consumed_to_the_last(tmp_path):
    fill = """
import errno, socket, sys
listeners = [socket.create_server(("127.0.0.1", port), backlog=200) for port in (7000, 7001)]
clients, taken = [], 0
for i in range(200):
    client = socket.socket()
    client.setblocking(False)
    if client.connect_ex(("127.0.0.1", 7000)) == errno.EADDRNOTAVAIL:
        break
    taken += 1
    clients.append(client)
for i in range(20):
    clients.append(socket.create_connection(("127.0.0.1", 7001)))
sys.stdin.readline()
for client in clients[:40]:
    client.close()  # the listener never does: fin_wait2, and the port stays held
print(taken, flush=True)
sys.stdin.readline()
"""
    names = [f"host_tcp_ephemeral_ports_{which}"
             for which in ("used", "available", "busiest_destination")]
    with agent_inside(tmp_path) as running:
        inside = running.prefix
        run(inside, "sysctl", "-qw", "net.ipv4.ip_local_port_range=20000 20099")
        run(inside, "sysctl", "-qw", "net.ipv4.ip_local_reserved_ports=20010-20019,20050")

        def figures():
            time.sleep(2.2)
            found = ours(running)
            return [found[name, ()] for name in names]

        def kernel_used():
            table = run(inside, "cat", "/proc/net/tcp")
            ports = {int(port, 16) for port in re.findall(r"^ *\d+: \w+:(\w+) ", table, re.M)}
            return len(ports & set(range(20000, 20100)))

        assert figures() == [0, 89, 0]
        with subprocess.Popen([*inside, "/usr/bin/python3", "-c", fill], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as child:
            try:
                # Another destination's connections share the ports.
                assert figures() == [89, 89, 89]
                assert kernel_used() == 89
                child.stdin.write("\n")
                child.stdin.flush()
                assert child.stdout.readline() == "89\n"
                assert figures() == [89, 89, 89]
                assert kernel_used() == 89
            finally:
                child.kill()


def test_tracked_connections_are_the_kernels(tmp_path):
    with namespace() as inside:
        # Tracking begins where a rule asks for it.
        run(inside, "iptables", "-A", "INPUT", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP")
        hold = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 7000), backlog=200)
pairs = [(socket.create_connection(("127.0.0.1", 7000)), listener.accept()) for _ in range(150)]
print("ready", flush=True)
sys.stdin.readline()
"""
        with agent.running(CONFIG, tmp_path, prefix=inside) as running, \
                subprocess.Popen([*inside, "/usr/bin/python3", "-c", hold], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout.readline() == "ready\n"
                before, found, after = settled(running)
                if before["conntrack"] == 0:
                    pytest.skip("the kernel tracks no connections here")
                entries = found["host_conntrack_entries", ()]
                assert entries >= 150
                # Each scrape is tracked for two minutes.
                assert before["conntrack"] <= entries <= after["conntrack"]
                assert after["conntrack"] - before["conntrack"] <= 3
                limit = int(run(inside, "cat", "/proc/sys/net/netfilter/nf_conntrack_max"))
                assert found["host_conntrack_limit", ()] == limit
            finally:
                child.kill()


def test_a_disk_fills_and_a_mount_that_never_answers_is_not_asked(tmp_path):
    need_mount_namespaces()
    image, disk, dead = tmp_path / "image", tmp_path / "disk", tmp_path / "dead"
    for folder in (disk, dead):
        folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    if subprocess.run(["mkfs.ext4", "-q", image], check=False, capture_output=True).returncode:
        pytest.skip("mkfs.ext4 does not work here")
    if subprocess.run(["mount", "-o", "loop", image, disk], check=False,
                      capture_output=True).returncode:
        pytest.skip("loop devices cannot be mounted here")
    try:
        with hanging.directory(dead), agent.running(CONFIG, tmp_path) as running:
            def of_disk(name):
                return running.value(name, mountpoint=str(disk))

            running.wait_for(lambda a: of_disk("host_filesystem_size_bytes") is not None)
            (disk / "file").write_bytes(b"z" * (10 << 20))
            subprocess.run(["sync", "-f", disk], check=True)
            time.sleep(2.2)
            columns = subprocess.run(["stat", "-f", "-c", "%S %b %a %c %d", disk], check=True,
                                     capture_output=True, text=True).stdout
            block, blocks, available, inodes, inodes_free = map(int, columns.split())
            assert of_disk("host_filesystem_size_bytes") == block * blocks
            assert of_disk("host_filesystem_available_bytes") == block * available
            assert of_disk("host_filesystem_inodes") == inodes
            assert of_disk("host_filesystem_inodes_free") == inodes_free
            assert of_disk("host_filesystem_read_only") == 0
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            running.wait_for(lambda a: of_disk("host_filesystem_read_only") == 1)
            assert str(dead) in pathlib.Path("/proc/self/mountinfo").read_text()
            assert of_disk("host_filesystem_size_bytes") is not None
            assert running.value("host_filesystem_size_bytes", mountpoint=str(dead)) is None
            assert running.value("upstream_agent_collector_success", collector="filesystems") == 1
    finally:
        subprocess.run(["umount", disk], check=False)
