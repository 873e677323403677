# SPDX-License-Identifier: Apache-2.0
"""A real browser, without a window: what a page has become after its script has run."""
import contextlib
import json
import os
import select
import subprocess
import tempfile
import time

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


class Tab:
    """One page of a browser that the test drives through the DevTools protocol, as a person would:
    with keys, and looking at what a screen reader is told."""

    def __init__(self, write, read):
        self._write, self._read = write, read
        self._buffer, self._number = b"", 0
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = None
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Accessibility"):
            self._send(f"{domain}.enable")

    def _message(self):
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], 90)[0]:
                raise TimeoutError("the browser does not answer")
            got = os.read(self._read, 1 << 20)
            if not got:
                raise EOFError("the browser ended")
            self._buffer += got
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _send(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, url):
        self._send("Page.navigate", url=url)
        self.wait_for(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    def value(self, expression):
        """Of an expression of JavaScript, a promise's included."""
        result = self._send("Runtime.evaluate", expression=expression, returnByValue=True,
                            awaitPromise=True, userGesture=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression):
        end = time.monotonic() + 60
        while not self.value(expression):
            assert time.monotonic() < end, expression
            time.sleep(0.1)

    def press(self, key, code=None, text=None):
        number = {"Tab": 9, "Enter": 13, "Escape": 27}.get(key, 0)
        if key == "Enter":
            text = "\r"
        common = {"key": key, "code": code or key, "windowsVirtualKeyCode": number}
        self._send("Input.dispatchKeyEvent", type="keyDown", **common,
                   **({"text": text} if text else {}))
        self._send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self._send("Input.insertText", text=text)

    def wide(self, width, height=800):
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=1, mobile=width < 600)

    def allow(self, *permissions):
        self._send("Browser.grantPermissions", permissions=list(permissions))

    def accessible(self):
        """[(role, name)] of what a screen reader finds, in its order."""
        nodes = self._send("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in nodes if not node["ignored"]]


@contextlib.contextmanager
def tab():
    need("chromium")
    # Its protocol is spoken over file descriptors 3 and 4.
    command = ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', "sh", "chromium"]
    with tempfile.TemporaryDirectory() as profile, subprocess.Popen(
            [*command, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Tab(process.stdin.fileno(), process.stdout.fileno())
        finally:
            process.terminate()
            process.wait(timeout=30)
