# SPDX-License-Identifier: Apache-2.0
"""What the daemon tells systemd (sd_notify(3))."""
import contextlib
import os
import re
import signal
import socket
import urllib.request

import pytest

from tests.lab import agent, hanging
from tests.lab.processes import need_mount_namespaces, process


def sd_messages(path):
    """A socket like systemd's; what came is in the list that is returned, in order."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(path))
    server.settimeout(10)
    return server


def test_systemd_hears_of_start_reload_end_and_life(tmp_path):
    systemd = sd_messages(tmp_path / "notify")
    config = tmp_path / "agent.toml"
    config.write_text("# nothing\n")
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    port = agent.free_port()
    with process(agent.binary(), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                 env=environment) as child:
        def next_but_watchdog():
            for _ in range(100):  # ten seconds of watchdog messages
                message = systemd.recv(1000).decode()
                if message != "WATCHDOG=1":
                    return message
            return "nothing but WATCHDOG=1"
        assert next_but_watchdog() == "READY=1"
        # Not before there is something to show.
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        assert "\nhost_load1 " in page
        assert systemd.recv(1000) == b"WATCHDOG=1"
        child.send_signal(signal.SIGHUP)
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", next_but_watchdog())
        assert next_but_watchdog() == "READY=1"
        child.terminate()
        assert next_but_watchdog() == "STOPPING=1"
        assert child.wait(timeout=5) == 0


def test_a_watchdog_of_another_process_is_none_of_ours(tmp_path):
    systemd = sd_messages(tmp_path / "notify")
    systemd.settimeout(1)
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"),
                   "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}
    with process(agent.binary(), "--web.listen-address=127.0.0.1:0", env=environment):
        heard = []
        with contextlib.suppress(TimeoutError):
            while len(heard) < 5:
                heard.append(systemd.recv(1000))
        assert heard == [b"READY=1"]


def test_a_sampler_that_hangs_delays_the_start_but_does_not_keep_it_from_happening(tmp_path):
    need_mount_namespaces()
    systemd = sd_messages(tmp_path / "notify")
    environment = {**hanging.environment(), "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with hanging.directory(tmp_path / "hang") as hang:
        begin = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/pressure && exec "$@"',
                 str(hang), agent.binary(), "--web.listen-address=127.0.0.1:0"]
        with process(*begin, env=environment) as child:
            systemd.settimeout(1.5)
            with pytest.raises(TimeoutError):
                systemd.recv(1000)
            hanging.wait_for(child)
            systemd.settimeout(10)
            assert systemd.recv(1000) == b"READY=1"
            child.terminate()
            assert child.wait(timeout=5) == 0
