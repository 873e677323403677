# SPDX-License-Identifier: Apache-2.0
"""`upstream-agent status` against a running agent."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from tests.lab import agent, secure
from tests.lab.agent import upstream
from tests.lab.hostile import after_request, serving


def status(*arguments):
    return subprocess.run([agent.binary(), "status", *arguments], capture_output=True, text=True,
                          timeout=30, check=False)


@pytest.fixture(name="port")
def dead_port():
    return agent.free_port()


def test_the_failing_target_comes_first_with_what_to_check(tmp_path, port):
    with serving(after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as (_, good):
        config = (upstream("fine", f"http://127.0.0.1:{good}/")
                  + upstream("gone", f"http://127.0.0.1:{port}/", 'service = "gone.service"'))
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="gone") == 0
                       and a.value("upstream_up", upstream="fine") == 1)
            url = f"http://127.0.0.1:{a.port}"
            done = status("--url", url)
            lines = done.stdout.splitlines()
            assert lines[0].split() == ["STATE", "UPSTREAM", "TARGET", "CLASS", "SINCE", "LAST"]
            assert lines[1].split()[:4] == [
                "down", "gone", f"http://127.0.0.1:{port}/", "connect_refused"]
            assert f"systemctl status gone.service; ss -ltnp 'sport = :{port}'" in lines[2]
            assert lines[3].split()[:3] == ["up", "fine", f"http://127.0.0.1:{good}/"]
            assert lines[4].startswith("1 of 2 targets fails, ")
            assert (done.returncode, done.stderr) == (1, "")

            assert status("--url", url + "/", "fine").returncode == 0
            unknown = status("--url", url, "gnoe", "fien")
            assert unknown.returncode == 2
            assert unknown.stderr == "upstream-agent status: the agent has no upstream 'gnoe'\n"

            document = json.loads(status("--url", url, "--json").stdout)
            assert document["failing"] == 1
            last = document["upstreams"][1]["targets"][0]["last"]
            assert last["error_class"] == "connect_refused"
            one = json.loads(a.get("/api/v1/upstreams/gone"))
            assert sum(slot["failures"] for slot in one["targets"][0]["history"]["slots"]) >= 2


def test_the_agent_is_found_by_its_configuration(tmp_path, port):
    socket = tmp_path / "web.sock"
    path = tmp_path / "agent.toml"
    path.write_text(f'[web]\nlisten_address = "unix:{socket}"\n'
                    + upstream("gone", f"tcp://127.0.0.1:{port}"))
    with subprocess.Popen([agent.binary(), f"--config.file={path}"],
                          stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                done = status(f"--config.file={path}")
                if "connect_refused" in done.stdout:
                    break
                time.sleep(0.2)
            assert "connect_refused" in done.stdout, done
            assert "connect_refused" in status("--url", f"unix:{socket}").stdout
        finally:
            process.terminate()


def test_an_agent_that_is_not_there_has_a_status_of_its_own(port):
    done = status("--url", f"http://127.0.0.1:{port}")
    assert done.returncode == 69
    assert done.stdout == ""
    assert re.fullmatch(
        rf"upstream-agent status: no answer from an agent at http://127\.0\.0\.1:{port}: .*; is it "
        r"running \(systemctl status upstream-agent\), and there \(--url\)\?\n", done.stderr)


def test_what_is_no_agent_is_called_so():
    with serving(after_request(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) as (_, other):
        done = status("--url", f"http://127.0.0.1:{other}")
        assert done.returncode == 69
        assert "has no such page: another program, or an older agent" in done.stderr
    with serving(after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as (_, other):
        done = status("--url", f"http://127.0.0.1:{other}")
        assert done.returncode == 69
        assert "this is no agent's answer: " in done.stderr


@pytest.mark.parametrize("arguments, message", [
    (["--url", "localhost:10917"], "write http://HOST:PORT, https://HOST:PORT or unix:/PATH"),
    (["--password-file", "/nonexistent"], "--password-file requires --user"),
    (["--user", "alice"], "--user requires --password-file"),
    (["--cert-file", "c.pem"], "--cert-file requires --key-file"),
    (["--url", "http://alice:word@127.0.0.1:1"],
     "a user goes with --user and --password-file, since all see a command line"),
    (["--json", "--watch"], "--watch excludes --json"),
])
def test_wrong_usage_is_told_what_is_right(arguments, message):
    done = status(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_certificate_is_shown_to_an_agent_that_wants_one(tmp_path):
    folder = secure.certificates(tmp_path)
    config = (secure.TLS.format(folder) + 'client_auth_type = "RequireAndVerifyClientCert"\n'
              f'client_ca_file = "{folder}/ca.pem"\n'
              + upstream("gone", f"tcp://127.0.0.1:{agent.free_port()}"))

    def pair(certificate, key):
        return "--cert-file", f"{folder}/{certificate}.pem", "--key-file", f"{folder}/{key}.key"

    for name in ("good", "self_signed"):
        (folder / f"{name}.key").chmod(0o600)
    with secure.running(config, folder) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="gone") == 0)
        there = "--url", f"https://localhost:{a.port}", "--ca-file", f"{folder}/ca.pem"
        let_in = status(*there, *pair("good", "good"))
        assert (let_in.returncode, let_in.stderr) == (1, "")
        assert "connect_refused" in let_in.stdout
        without = status(*there)
        assert without.returncode == 69
        assert without.stderr.endswith(
            "; it may want a certificate: --cert-file FILE --key-file FILE\n")
        stranger = status(*there, *pair("self_signed", "self_signed"))
        assert stranger.returncode == 69
        assert stranger.stderr.endswith("; it may not take the certificate of --cert-file\n")
        mixed = status(*there, *pair("good", "self_signed"))
        assert mixed.returncode == 2
        assert mixed.stderr.startswith(
            "upstream-agent status: --key-file is not the key of --cert-file (")
        (folder / "good.key").chmod(0o644)
        open_key = status(*there, *pair("good", "good"))
        assert open_key.returncode == 2
        assert open_key.stderr == (
            f"upstream-agent status: --key-file: {folder}/good.key can be read by others; run "
            f"chmod 600 {folder}/good.key\n")


def test_the_wrong_scheme_is_told_from_no_agent(tmp_path):
    folder = secure.certificates(tmp_path)
    with secure.running(secure.TLS.format(folder), folder) as a:
        plain = status("--url", f"http://localhost:{a.port}")
        assert plain.returncode == 69
        assert plain.stderr.endswith("; does it serve over TLS there (--url https://...)?\n")
    with agent.running('[host]\ninterval = "1s"\n', tmp_path) as a:
        encrypted = status("--url", f"https://127.0.0.1:{a.port}")
        assert encrypted.returncode == 69
        assert encrypted.stderr.endswith(
            "; it may not serve over TLS there: --url http://...\n")


def watched(port, rows, columns, enough):
    """What a terminal of that size gets until `enough` of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
            [agent.binary(), "status", "--watch", "--url", f"http://127.0.0.1:{port}"],
            stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(slave)
        seen = b""
        end = time.monotonic() + 20
        while not enough(seen) and time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                with contextlib.suppress(OSError):
                    seen += os.read(master, 4096)
        process.terminate()
    os.close(master)
    return seen


def test_watching_redraws_a_terminal(tmp_path, port):
    with agent.running(upstream("gone", f"tcp://127.0.0.1:{port}"), tmp_path) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="gone") == 0)
        seen = watched(a.port, 24, 200, lambda seen: seen.count(b"connect_refused") >= 2)
    assert seen.startswith(b"\x1b[2J\x1b[H")
    assert seen.count(b"connect_refused") >= 2
    assert b"\x1b[1;31mdown \x1b[0m  gone" in seen


def test_what_fails_stays_in_sight_of_a_small_terminal(tmp_path, port):
    with serving(after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as (_, good):
        config = upstream("gone", f"tcp://127.0.0.1:{port}") + "".join(
            upstream(f"fine-{i}", f"http://127.0.0.1:{good}/") for i in range(9))
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="gone") == 0)
            seen = watched(a.port, 8, 40, lambda seen: seen.count(b"\x1b[J") >= 2)
    screen = seen.split(b"\x1b[H")[1].decode()
    lines = re.sub(r"\x1b\[[0-9;]*[mKJ]", "", screen).splitlines()
    assert len(lines) <= 7  # the cursor stands in the eighth
    assert max(map(len, lines)) <= 40
    assert lines[1].split()[:2] == ["down", "gone"]
    assert re.fullmatch(r"\.\.\. and \d more below", lines[5])
    assert lines[6].startswith("1 of 10 targets fails, ")
