# SPDX-License-Identifier: Apache-2.0
"""Network namespaces with a firewall, or with name servers, of their own."""
import contextlib
import os
import shutil
import subprocess
import time

import pytest

from tests.lab import agent
from tests.lab.processes import need, process

NETNS = f"upstream-agent-test-{os.getpid()}"  # of this run alone


@contextlib.contextmanager
def namespace():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    need("ip", "iptables")
    subprocess.run(["ip", "netns", "del", NETNS], capture_output=True, check=False)
    if subprocess.run(["ip", "netns", "add", NETNS], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces cannot be made here")
    inside = ["ip", "netns", "exec", NETNS]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        subprocess.run(["ip", "netns", "del", NETNS], check=False)
        pytest.skip("network namespaces cannot be entered here")
    try:
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "del", NETNS], check=False)


@contextlib.contextmanager
def dns_namespace(resolv="nameserver 127.0.0.53\n", files=None, servers=("127.0.0.53",)):
    """A namespace whose only resolvers are the lab's, each "address" or "address/RCODE"."""
    folder = f"/etc/netns/{NETNS}"
    with namespace() as inside:
        os.makedirs(folder, exist_ok=True)
        try:
            for name, text in {"resolv.conf": resolv, **(files or {})}.items():
                with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                    file.write(text)
            script = str(agent.ROOT / "tests/lab/dns.py")
            with contextlib.ExitStack() as stack:
                children = [stack.enter_context(process(*inside, "/usr/bin/python3", script,
                                                        *server.split("/"))) for server in servers]
                time.sleep(0.5)
                assert all(child.poll() is None for child in children)
                yield inside
        finally:
            shutil.rmtree(folder)
