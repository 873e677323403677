# SPDX-License-Identifier: Apache-2.0
"""The host's figures beside those of node_exporter, read at the same moment."""
import concurrent.futures
import contextlib
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
         "--collector.cpu", "--collector.loadavg", "--collector.meminfo", "--collector.tcpstat"],
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
    for state in STATES:
        theirs = exporter.get(("node_tcp_connection_states", (("state", state),)), 0)
        result.append((f"tcp {state}", ours["host_tcp_connections", (("state", state),)], theirs))
    return result


def tolerated(what, ours, theirs):
    if what.startswith("cpu "):
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
        for sampler in ("cpu", "load", "memory", "connections"):
            assert ours["upstream_agent_collector_success", (("collector", sampler),)] == 1
