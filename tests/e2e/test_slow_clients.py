# SPDX-License-Identifier: Apache-2.0
"""500 clients that are silent, drip, read slowly or ask all the time delay no scrape beyond a second."""
import re
import subprocess
import sys
import time

import pytest

from tests.lab import agent, secure
from tests.lab.processes import need

CLIENTS = str(agent.ROOT / "tests/lab/slow_clients.py")
COUNTS = {"silent": 500, "dripping": 500, "slow": 500, "asking": 500, "hammering": 100}
SCRAPES = 20
# The promise is about what a client waits for, so that this, of all tests, asserts a time.
MOST = 1.0


def scrape(a, scheme):
    """(seconds, body) of one, with a handshake of its own."""
    done = subprocess.run(
        ["curl", "-sS", "-m", "10", "--cacert", f"{a.folder}/ca.pem", "-w", "\n%{time_total}",
         f"{scheme}://localhost:{a.port}/metrics"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    body, _, seconds = done.stdout.rpartition("\n")
    return float(seconds), body


def most_connections(a):
    """That the other side had at a moment."""
    return len(re.findall(rf":{a.port}\s+\d", subprocess.run(
        ["ss", "-Htn", "state", "established", f"sport = :{a.port}"], capture_output=True,
        text=True, check=True).stdout))


def served(a):
    return a.value("upstream_agent_http_requests_total", handler="/metrics", code="200") or 0


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", COUNTS)
def test_no_scrape_takes_longer_than_a_second(tmp_path, kind, scheme):
    need("curl", "openssl", "ss")
    secure.certificates(tmp_path)
    # So many that a page is more than the buffers between take.
    config = "".join(agent.upstream(f"u{i}", f"tcp://127.0.0.1:{i % 9 + 1}").replace("500ms", "1h")
                     for i in range(30 if kind == "slow" else 1))
    if scheme == "https":
        config = secure.TLS.format(tmp_path) + config
    with secure.running(config, tmp_path) as a:
        with subprocess.Popen([sys.executable, CLIENTS, str(a.port), kind, str(COUNTS[kind]),
                               *(["tls"] if scheme == "https" else [])],
                              stdout=subprocess.PIPE) as clients:
            try:
                assert clients.stdout.readline() == b"all\n"
                held, times = 0, []
                before = served(a)
                for _ in range(SCRAPES):
                    held = max(held, most_connections(a))
                    seconds, body = scrape(a, scheme)
                    assert "process_cpu_seconds_total" in body
                    times.append(seconds)
                    time.sleep(0.3)
                asked = served(a) - before
            finally:
                clients.kill()
        print(f"{kind} {scheme}: {max(times):.3f} s at most, {held} connections, {asked} replies")
        assert max(times) <= MOST, times
        # Who asks is served and gone.
        assert held >= 32 or asked >= 500, "the clients were not there"
