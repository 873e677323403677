# SPDX-License-Identifier: Apache-2.0
"""Namespaces of mounts and of the network, for what a test must not do to the host."""
import contextlib
import subprocess

import pytest


@contextlib.contextmanager
def ended(child):
    """Ends the child with SIGTERM."""
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=10)


@contextlib.contextmanager
def namespaces(mounts, addresses=()):
    """What to put before a command that is to run with these mounts {source: where} and, besides
    those of loopback, these addresses."""
    script = ("".join(f"mount --bind '{source}' '{where}' && " for source, where in mounts.items())
              + "".join(f"ip addr add {address} dev lo && " for address in addresses)
              + "ip link set lo up && echo ready && exec cat")
    holder = subprocess.Popen(["unshare", "-m", "-n", "sh", "-c", script], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if holder.stdout.readline() != "ready\n":
            pytest.skip("no namespaces here: " + holder.stderr.read().strip())
        yield ["nsenter", "-t", str(holder.pid), "-m", "-n"]
    finally:
        holder.kill()
        holder.wait()
