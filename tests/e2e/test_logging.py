# SPDX-License-Identifier: Apache-2.0
"""A log that nobody reads holds up neither the probes nor the end."""
import fcntl
import os
import signal
import socket
import subprocess
import time
import urllib.request

from tests.lab.agent import binary, free_port

F_SETPIPE_SZ = 1031


def full_pipe():
    """A pipe without room for another byte."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


def test_a_full_pipe_as_standard_error(tmp_path):
    reader, writer = full_pipe()
    with socket.create_server(("127.0.0.1", 0)) as server:
        config = tmp_path / "agent.toml"
        config.write_text(
            '[[upstream]]\nname = "up"\ninterval = "200ms"\n'
            f'targets = "tcp://127.0.0.1:{server.getsockname()[1]}"\n'
        )
        port = free_port()
        process = subprocess.Popen(
            [binary(), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"],
            stderr=writer, stdout=writer,
        )
        try:
            page = ""
            end = time.monotonic() + 20
            while "upstream_probe_success{" not in page and time.monotonic() < end:
                time.sleep(0.1)
                try:
                    url = f"http://127.0.0.1:{port}/metrics"
                    with urllib.request.urlopen(url, timeout=10) as answer:
                        page = answer.read().decode()
                except OSError:
                    assert process.poll() is None
            assert "upstream_probe_success{" in page
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(reader)
            os.close(writer)
