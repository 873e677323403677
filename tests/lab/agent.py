# SPDX-License-Identifier: Apache-2.0
"""Runs the agent's binary: one probe, or the daemon with its metrics."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    if "UPSTREAM_AGENT" in os.environ:
        return os.environ["UPSTREAM_AGENT"]
    for preset in ("asan", "dev", "release"):
        path = ROOT / "build" / preset / "upstream-agent"
        if path.exists():
            return str(path)
    raise FileNotFoundError("build the agent first")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def upstream(name, url, more=""):
    return (f'[[upstream]]\nname = "{name}"\ntargets = ["{url}"]\ninterval = "500ms"\n'
            f'timeout = "400ms"\n{more}\n')


def probe(*arguments, prefix=(), timeout="2s"):
    """The JSON of one probe and the exit status."""
    done = subprocess.run(
        [*prefix, binary(), "probe", "--json", "--timeout", timeout, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[0]), done.returncode


def probe_with(folder, url, tables="", more=""):
    """One probe of `url` with these lines of its [[upstream]] and these tables after it."""
    config = folder / "probe.toml"
    config.write_text(
        f'[[upstream]]\nname = "lab"\ntargets = ["{url}"]\ntimeout = "2s"\n{more}\n{tables}\n')
    return probe("lab", f"--config.file={config}")[0]


class Agent:
    def __init__(self, process, port, prefix):
        self.process, self.port, self.prefix = process, port, prefix

    def get(self, path, headers=None):
        if self.prefix:  # inside a network namespace
            done = subprocess.run(
                [*self.prefix, "curl", "-s", "-m", "10", f"http://127.0.0.1:{self.port}{path}"],
                capture_output=True, text=True, check=True,
            )
            return done.stdout
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers=headers or {}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def head(self, path):
        """The headers alone."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers

    def post(self, path):
        """The answer's text, whatever its status."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def metrics(self):
        """{name: [(labels, value)]}; fails on any line that is not valid."""
        result = {}
        for line in self.get("/metrics").splitlines():
            if line.startswith("#"):
                continue
            match = re.fullmatch(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)', line)
            assert match, line
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            result.setdefault(match[1], []).append((labels, float(match[3])))
        return result

    def value(self, name, **wanted):
        """The one value of that name whose labels include those wanted; None where absent."""
        found = [
            value for labels, value in self.metrics().get(name, [])
            if all(labels.get(k) == v for k, v in wanted.items())
        ]
        assert len(found) <= 1, found
        return found[0] if found else None

    def wait_for(self, condition, seconds=20):
        """Polls until `condition(self)` holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, "the agent ended"
            if condition(self):
                return
            time.sleep(0.2)
        raise AssertionError("it did not happen:\n" + self.get("/metrics")[:4000])


@contextlib.contextmanager
def running(config, tmp_path, prefix=(), env=None, listen=("127.0.0.1:{port}",), kind=Agent):
    """The daemon with this TOML; it must end with 0 within 5 s of SIGTERM."""
    path = tmp_path / "agent.toml"
    path.write_text(config)
    port = free_port()
    log = open(tmp_path / "agent.log", "w", encoding="utf-8")
    process = subprocess.Popen(
        [*prefix, binary(), f"--config.file={path}",
         *(f"--web.listen-address={address.format(port=port)}" for address in listen)],
        stderr=log, stdout=log, env=env,
    )
    agent = kind(process, port, prefix)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                if "Ready" in agent.get("/-/ready"):
                    break
            assert process.poll() is None, (tmp_path / "agent.log").read_text()
            time.sleep(0.1)
        yield agent
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0, (tmp_path / "agent.log").read_text()[-3000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        log.close()
