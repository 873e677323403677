# SPDX-License-Identifier: Apache-2.0
"""The host's figures beside those of node_exporter, read at the same moment."""
import concurrent.futures
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from tests.lab import agent

EXPORTER = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
CONNECTIONS = 300
ATTEMPTS = 10

MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
MEMORY = {
    "host_memory_total_bytes": "node_memory_MemTotal_bytes",
    "host_memory_free_bytes": "node_memory_MemFree_bytes",
    "host_memory_available_bytes": "node_memory_MemAvailable_bytes",
    "host_memory_buffers_bytes": "node_memory_Buffers_bytes",
    "host_memory_cached_bytes": "node_memory_Cached_bytes",
    "host_memory_swap_total_bytes": "node_memory_SwapTotal_bytes",
    "host_memory_swap_free_bytes": "node_memory_SwapFree_bytes",
}
LOAD = {f"host_load{minutes}": f"node_load{minutes}" for minutes in (1, 5, 15)}
# Of one series each.
SINGLE = {
    "host_tcp_opened_connections_total": "node_netstat_Tcp_ActiveOpens",
    "host_tcp_accepted_connections_total": "node_netstat_Tcp_PassiveOpens",
    "host_tcp_failed_connections_total": "node_netstat_Tcp_AttemptFails",
    "host_tcp_established_resets_total": "node_netstat_Tcp_EstabResets",
    "host_tcp_sent_resets_total": "node_netstat_Tcp_OutRsts",
    "host_tcp_sent_segments_total": "node_netstat_Tcp_OutSegs",
    "host_tcp_retransmitted_segments_total": "node_netstat_Tcp_RetransSegs",
    "host_tcp_listen_overflows_total": "node_netstat_TcpExt_ListenOverflows",
    "host_tcp_listen_drops_total": "node_netstat_TcpExt_ListenDrops",
    "host_file_descriptors_allocated": "node_filefd_allocated",
    "host_file_descriptors_maximum": "node_filefd_maximum",
    "host_conntrack_entries": "node_nf_conntrack_entries",
    "host_conntrack_limit": "node_nf_conntrack_entries_limit",
    "host_oom_kills_total": "node_vmstat_oom_kill",
    "host_memory_major_faults_total": "node_vmstat_pgmajfault",
    "host_boot_timestamp_seconds": "node_boot_time_seconds",
}
PRESSURE = {
    ("waiting", "cpu"): "node_pressure_cpu_waiting_seconds_total",
    ("waiting", "io"): "node_pressure_io_waiting_seconds_total",
    ("stalled", "io"): "node_pressure_io_stalled_seconds_total",
    ("waiting", "memory"): "node_pressure_memory_waiting_seconds_total",
    ("stalled", "memory"): "node_pressure_memory_stalled_seconds_total",
}
FILESYSTEM = {
    "host_filesystem_size_bytes": "node_filesystem_size_bytes",
    "host_filesystem_available_bytes": "node_filesystem_avail_bytes",
    "host_filesystem_inodes": "node_filesystem_files",
    "host_filesystem_inodes_free": "node_filesystem_files_free",
    "host_filesystem_read_only": "node_filesystem_readonly",
}
NETWORK = {
    f"host_network_{direction}_{ours}_total": f"node_network_{direction}_{theirs}_total"
    for direction in ("receive", "transmit")
    for ours, theirs in (("bytes", "bytes"), ("packets", "packets"), ("errors", "errs"),
                         ("drops", "drop"))
}
COLLECTORS = ["cpu", "loadavg", "meminfo", "tcpstat", "netstat", "filefd", "conntrack", "vmstat",
              "stat", "pressure", "filesystem", "netdev"]
STATES = ["established", "listen", "close_wait", "fin_wait2", "time_wait", "syn_sent"]


def parse(text):
    """{(name, labels): value}"""
    result = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match:
            labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', match[2] or "")))
            result[match[1], labels] = float(match[3])
    return result


@contextlib.contextmanager
def node_exporter():
    """Yields its port."""
    port = agent.free_port()
    process = subprocess.Popen(
        [EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults",
         "--collector.netstat.fields=.*", "--collector.netdev.device-exclude=^$",
         *(f"--collector.{name}" for name in COLLECTORS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
                break
            assert process.poll() is None, "node_exporter ended"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=5)


@contextlib.contextmanager
def connections():
    """Some hundred connections, so that 1 % is more than one of them; yields the port."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        pairs = []
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(server.getsockname()))
            pairs.append((client, stack.enter_context(server.accept()[0])))
        for client, _ in pairs[:40]:
            client.shutdown(socket.SHUT_WR)  # fin_wait2 and close_wait
        yield server.getsockname()[1]


def close(ours, theirs):
    return abs(ours - theirs) <= 0.01 * max(abs(ours), abs(theirs))


def same_labels(ours, exporter):
    """Of each filesystem and interface that the agent shows."""
    result = []
    for mine, theirs in {**FILESYSTEM, **NETWORK}.items():
        found = [pairs for name, pairs in ours if name == mine]
        assert found, mine
        for pairs in found:
            named = tuple(("device" if key == "interface" else key, value) for key, value in pairs)
            result.append((f"{mine} {dict(pairs)}", ours[mine, pairs], exporter[theirs, named]))
    return result


def pairs_of(ours, exporter):
    """[(what, our value, node_exporter's)]"""
    def sum_of(name, **labels):
        found = [value for (n, pairs), value in exporter.items()
                 if n == name and set(labels.items()) <= set(pairs)]
        assert found, (name, labels)
        return sum(found)

    result = [(f"cpu {mode}", ours["host_cpu_seconds_total", (("mode", mode),)],
               sum_of("node_cpu_seconds_total", mode=mode)) for mode in MODES]
    result += [(mine, ours[mine, ()], sum_of(theirs)) for mine, theirs in {**MEMORY, **LOAD}.items()]
    result += [(mine, ours[mine, ()], sum_of(theirs)) for mine, theirs in SINGLE.items()]
    page = os.sysconf("SC_PAGESIZE")
    for way in ("in", "out"):
        result.append((f"swap {way}", ours[f"host_memory_swapped_{way}_bytes_total", ()],
                       sum_of(f"node_vmstat_pswp{way}") * page))
    result += [(f"pressure {kind} {of}", ours[f"host_pressure_{kind}_seconds_total",
                                              (("resource", of),)], sum_of(theirs))
               for (kind, of), theirs in PRESSURE.items()]
    result += same_labels(ours, exporter)
    for state in STATES:
        theirs = exporter.get(("node_tcp_connection_states", (("state", state),)), 0)
        result.append((f"tcp {state}", ours["host_tcp_connections", (("state", state),)], theirs))
    return result


def tolerated(what, ours, theirs):
    if what.startswith(("cpu ", "pressure ")):
        # A second passes between the two samples, and a mode may have used less than 100 s so far.
        return close(ours, theirs) or abs(ours - theirs) <= 1
    if what.startswith("tcp "):
        # Each of the two, and each reader, has a connection of its own that the other may not see.
        return close(ours, theirs) or abs(ours - theirs) <= 3
    return close(ours, theirs)


@pytest.mark.skipif(EXPORTER is None, reason="prometheus-node-exporter is not installed")
def test_host_figures_agree_with_node_exporter(tmp_path):
    config = '[host]\ninterval = "1s"\n'
    with connections() as port, node_exporter() as exporter, \
            agent.running(config, tmp_path) as running:
        running.wait_for(lambda a: (a.value("host_tcp_port_connections", port=str(port),
                                            state="established") or 0) > 0)

        def read_exporter():
            url = f"http://127.0.0.1:{exporter}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return parse(answer.read().decode())

        # The agent shows a sample up to a second old, and on a busy machine a figure may move by
        # more than 1 % in it. So each must agree at one moment; a wrong one agrees at none.
        wrong = None
        for _ in range(ATTEMPTS):
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                theirs = pool.submit(read_exporter)
                ours = pool.submit(lambda: parse(running.get("/metrics")))
                compared = pairs_of(ours.result(), theirs.result())
            apart = {one[0]: one for one in compared if not tolerated(*one)}
            wrong = {what: apart[what] for what in apart if wrong is None or what in wrong}
            if not wrong:
                break
            time.sleep(0.4)
        assert wrong == {}

        # What the test made itself is known exactly.
        ours = parse(running.get("/metrics"))
        by_port = {state: ours.get(("host_tcp_port_connections",
                                    (("port", str(port)), ("state", state))), 0)
                   for state in ("listen", "established", "close_wait")}
        assert by_port == {"listen": 1, "established": CONNECTIONS - 40, "close_wait": 40}
        assert ours["host_listen_queue_limit", (("port", str(port)),)] == 64
        assert ours["host_listen_queue_length", (("port", str(port)),)] == 0
        samplers = {pairs: value for (name, pairs), value in ours.items()
                    if name == "upstream_agent_collector_success"}
        assert len(samplers) == 14
        assert set(samplers.values()) == {1}
