# SPDX-License-Identifier: Apache-2.0
"""Real servers beside the agent: started, awaited, stopped."""
import contextlib
import os
import shutil
import socket
import subprocess
import time

import pytest


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None and not os.path.exists(f"/usr/sbin/{tool}"):
            pytest.skip(f"{tool} is not installed")


def need_mount_namespaces():
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces cannot be made here")


@contextlib.contextmanager
def process(*arguments, **options):
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def listening(port):
    """Waits until something does."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


@contextlib.contextmanager
def nginx_serving(tmp_path, servers):
    """nginx with these `server { }` blocks of its http block."""
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
        "events {}\nhttp { access_log off;\n"
        f"client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"{servers} }}\n"
    )
    with process("/usr/sbin/nginx", "-c", str(conf)) as child:
        yield child


def nginx(tmp_path, port, backend):
    return nginx_serving(
        tmp_path,
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{backend}; "
        "proxy_connect_timeout 1s; proxy_read_timeout 5s; } }",
    )


@contextlib.contextmanager
def node(tmp_path, script, *arguments, port):
    """A Node program that listens on `port`."""
    path = tmp_path / "server.js"
    path.write_text(script)
    with process("node", str(path), *arguments) as child:
        listening(port)
        yield child
