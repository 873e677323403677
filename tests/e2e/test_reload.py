# SPDX-License-Identifier: Apache-2.0
"""Reading the configuration: at the start, again and again, and where it never comes back."""
import signal
import subprocess
import time

from tests.lab import agent, hanging


def test_a_signal_while_the_configuration_is_read_ends_nothing_unheard(tmp_path):
    with hanging.directory(tmp_path / "dead") as dead:
        process = subprocess.Popen([agent.binary(), f"--config.file={dead}/agent.toml"])
        try:
            hanging.wait_for(process)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()
