# SPDX-License-Identifier: Apache-2.0
"""A real browser, without a window: what a page has become after its script has run."""
import subprocess
import tempfile

from tests.lab.processes import need

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


def dom_after(url, milliseconds):
    """The document as HTML, after that much of the browser's own time, in which waiting for an
    answer does not count."""
    need("chromium")
    with tempfile.TemporaryDirectory() as profile:
        run = subprocess.run(
            ["chromium", *FLAGS, f"--user-data-dir={profile}",
             f"--virtual-time-budget={milliseconds}", "--dump-dom", url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90, check=True)
    return run.stdout
