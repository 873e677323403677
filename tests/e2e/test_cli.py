# SPDX-License-Identifier: Apache-2.0
"""What scripts rely on: exit codes and output of the commands."""
import http.server
import json
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

from tests.lab import agent
from tests.lab.hostile import read_request, serving
from tests.lab.processes import need, need_mount_namespaces


def run(*arguments):
    return subprocess.run([agent.binary(), *arguments], capture_output=True, text=True, timeout=30,
                          check=False)


@pytest.fixture(name="web")
def real_server():
    """The port of an HTTP server that answers 200."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_the_catalogue_as_json():
    rows = json.loads(run("explain", "--all", "--json").stdout)
    assert len(rows) == 41
    assert sorted(row["code"] for row in rows) == list(range(1, 42))
    assert len({row["name"] for row in rows}) == 41
    assert list(rows[0]) == ["name", "code", "phase", "retry", "meaning", "likely_cause",
                             "first_check", "command"]
    assert all(row["likely_cause"] and row["first_check"] and row["command"] for row in rows)


def test_the_catalogue_as_a_table():
    lines = run("explain", "--all").stdout.splitlines()
    assert lines[0].split() == ["CODE", "CLASS", "PHASE", "RETRY", "WHAT", "WAS", "SEEN"]
    assert len(lines) == 42
    assert lines[7].split()[:4] == ["7", "connect_refused", "connect", "any"]


def test_explain_one_class():
    assert "not running" in run("explain", "connect_refused").stdout
    assert json.loads(run("explain", "connect_refused", "--json").stdout)["code"] == 7


def test_explain_says_what_it_does_not_know():
    wrong = run("explain", "conect_refused")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean 'connect_refused'?" in wrong.stderr
    line = run("explain", "upstream prematurely closed connection")
    assert (line.returncode, line.stdout) == (2, "")
    assert "not yet messages or log lines" in line.stderr


USAGE = {
    "unknown flag": (["--nope"], "--nope"),
    "misspelt flag": (["run", "--log.levle=info"], "did you mean '--log.level'?"),
    "unknown command": (["prob"], "did you mean 'probe'?"),
    "level": (["--log.level=loud"], "loud"),
    "format": (["run", "--log.format", "xml"], "xml"),
    "no target": (["probe"], "TARGET"),
    "no class": (["explain"], "--all"),
    "class and all": (["explain", "--all", "unknown"], "excludes"),
    "too much": (["check", "more"], "more"),
    "no address": (["--web.listen-address=foo"], "'foo' is no listen address"),
    "no port": (["run", "--web.listen-address", ":99999"], "':99999' is no listen address"),
    "a socket's relative path": (["--web.listen-address=unix:rel.sock"], "an absolute path"),
    "one address a flag": (["--web.listen-address", "127.0.0.1:0", "more"], "more"),
    "no scheme": (["probe", "127.0.0.1:80"], "http://127.0.0.1:80 or tcp://127.0.0.1:80"),
    "scheme": (["probe", "ftp://127.0.0.1/"], "no probe for 'ftp://'"),
    "no unit": (["probe", "--timeout", "5", "http://a/"], "500ms or 5s"),
    "no time": (["probe", "--timeout=0s", "http://a/"], "500ms or 5s"),
    "credentials": (["probe", "http://u:p@127.0.0.1/"], "credentials"),
}


@pytest.mark.parametrize("case", USAGE)
def test_a_usage_error_ends_with_2_and_says_why(case):
    arguments, message = USAGE[case]
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert message in done.stderr


def test_help_and_version():
    text = run("--help").stdout
    for word in ("run", "check", "probe", "explain", "--config.file", "--web.listen-address",
                 "--log.level", "--log.format", "Examples:", "Exit status:"):
        assert word in text
    assert max(len(line) for line in text.splitlines()) <= 100
    version = run("--version").stdout
    assert version.startswith("upstream-agent ")
    for library in ("libcurl/", "OpenSSL/", "c-ares/", "libmicrohttpd/"):
        assert library in version


@pytest.mark.parametrize("command", ["run", "check", "probe", "explain"])
def test_every_command_has_help(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Usage: upstream-agent {command} [OPTIONS]" in done.stdout


def test_the_manual_has_every_flag_and_no_other():
    manual = (agent.ROOT / "packaging/doc/man/upstream-agent.1").read_text()
    described = set(re.findall(r"^\.It .*?-(-[\w.-]+)", manual.replace("Fl -", "--"), re.M))
    offered = {"--version"}
    listed = run("--help").stdout.partition("Commands:\n")[2].partition("  --help")[0]
    commands = re.findall(r"^  ([a-z-]+)  ", listed, re.M)
    assert "probe" in commands
    for command in commands:
        offered |= set(re.findall(r"--[\w.-]+", run(command, "--help").stdout))
    assert {"-" + flag for flag in described} == offered


@pytest.mark.parametrize("arguments", [
    ["--config.file=/nonexistent.toml"], ["--config.file", "/nonexistent.toml"],
    ["run", "--config.file=/nonexistent.toml"], ["check", "--config.file=/nonexistent.toml"],
    ["probe", "--config.file=/nonexistent.toml", "http://127.0.0.1:1/"],
])
def test_a_configuration_that_is_missing_ends_with_78(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (78, "")
    assert "/nonexistent.toml" in done.stderr


def test_output_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([agent.binary(), "explain", "--all"], stdout=full, check=False,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def test_several_targets_one_json_line_each_in_order(web):
    up, down = f"http://127.0.0.1:{web}/", "tcp://127.0.0.1:1"
    done = run("probe", "--json", down, up)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["target"], row["success"]) for row in rows] == [(down, False), (up, True)]
    assert set(rows[0]) == set(rows[1])
    assert done.returncode == 1
    assert rows[0]["command"].endswith("ss -ltnp 'sport = :1'")
    assert run("probe", up, up).returncode == 0


def test_an_upstream_by_name_with_its_own_settings(web, tmp_path):
    path = tmp_path / "agent.toml"
    path.write_text(
        f'[[upstream]]\nname = "web"\nservice = "web.service"\n'
        f'targets = ["http://127.0.0.1:{web}/", "tcp://127.0.0.1:{web}"]\n'
        f'[upstream.http]\nexpect_status = [204]\n'
    )
    done = run("probe", f"--config.file={path}", "--json", "web")
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["error_class"], second["error_class"]) == ("content_mismatch", "none")
    assert done.returncode == 1
    wrong = run("probe", f"--config.file={path}", "wep")
    assert (wrong.returncode, "did you mean 'web'?" in wrong.stderr) == (2, True)


def on_a_terminal(*arguments, **environment):
    master, slave = pty.openpty()
    subprocess.run([agent.binary(), *arguments], stdout=slave, timeout=30, check=False,
                   env={**os.environ, "TERM": "xterm", **environment})
    os.close(slave)
    text = os.read(master, 65536).decode()
    os.close(master)
    return text


def test_colours_on_a_terminal_only_and_not_with_no_color():
    target = "tcp://127.0.0.1:1"
    assert "\x1b[1;31mDOWN\x1b[0m" in on_a_terminal("probe", target, NO_COLOR="")
    assert "\x1b" not in on_a_terminal("probe", target, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("probe", target, NO_COLOR="", TERM="dumb")
    assert "\x1b" not in run("probe", target).stdout


def test_check_reports_every_mistake_with_its_place(tmp_path):
    path = tmp_path / "agent.toml"
    path.write_text(
        '[[upstream]]\n'
        'name = "a"\n'
        'targets = ["http://127.0.0.1:99999/"]\n'
        'intervall = "5s"\n'
        'timeout = "20s"\n'
        'labels = { job = "x" }\n'
    )
    done = run("check", f"--config.file={path}")
    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        f"{path}:3:12: upstream.targets: a port is a number from 1 to 65535, not '99999'",
        f"{path}:4:1: unknown key 'upstream.intervall'; did you mean 'interval'?",
        f"{path}:5:11: upstream.timeout: the timeout (20s) is longer than the interval (15s)",
        f"{path}:6:18: upstream.labels: 'job' is set by the agent or by Prometheus; choose another",
    ]
    path.write_text('[[upstream]]\nname = "a"\ntargets = ["http://127.0.0.1:1/"]\n')
    done = run("check", f"--config.file={path}")
    assert done.returncode == 0
    assert "1 upstreams, 1 targets" in done.stdout


def complete(line):
    """What bash offers for the last word of this line."""
    words = line.split(" ")
    script = (
        f'source <({agent.binary()} completion bash); COMP_WORDS=({" ".join(words[:-1])} "{words[-1]}");'
        f" COMP_CWORD={len(words) - 1}; _upstream_agent; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_flags_and_words():
    assert complete("upstream-agent st") == ["status"]
    assert complete("upstream-agent --ver") == ["--version"]
    assert complete("upstream-agent probe --js") == ["--json"]
    assert complete("upstream-agent run --log.level = wa") == ["warn"]
    assert complete("upstream-agent run --log.level wa") == ["warn"]
    assert complete("upstream-agent explain connect_ref") == ["connect_refused"]
    assert complete("upstream-agent completion z") == ["zsh"]
    assert complete("upstream-agent probe --timeout ") == []


@pytest.mark.parametrize("shell, flag", [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_completion_scripts_are_valid(shell, flag, tmp_path):
    need(shell)
    script = tmp_path / "completion"
    done = subprocess.run([agent.binary(), "completion", shell], capture_output=True, check=True)
    script.write_bytes(done.stdout)
    subprocess.run([shell, flag, str(script)], check=True)


def test_fish_completes_commands_flags_and_words(tmp_path):
    need("fish")

    def offered(line):
        script = f"{agent.binary()} completion fish | source; complete -C '{line}'"
        done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True,
                              env={**os.environ, "HOME": str(tmp_path)})
        return [word.split("\t")[0] for word in done.stdout.splitlines()]

    assert offered("upstream-agent st") == ["status"]
    assert offered("upstream-agent probe --js") == ["--json"]
    assert offered("upstream-agent run --log.level wa") == ["warn"]
    assert offered("upstream-agent explain connect_ref") == ["connect_refused"]


def watching(*arguments):
    return subprocess.Popen([agent.binary(), "probe", "--watch", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_probe_watches_until_it_is_interrupted(web):
    with watching("--interval=100ms", f"http://127.0.0.1:{web}/") as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
    for line in lines:
        assert re.fullmatch(
            rf"\S+Z  UP  http://127.0.0.1:{web}/ \(127.0.0.1:{web}\)  [0-9.]+ m?s\n", line), line
    assert re.search(r"^(\d+) probes, 0 failed\n$", rest.splitlines(keepends=True)[-1])
    assert (process.returncode, errors) == (0, "")


def test_probe_that_watches_says_once_what_is_wrong():
    port = agent.free_port()
    with watching("--interval=100ms", f"tcp://127.0.0.1:{port}") as process:
        lines = []
        while sum("connect_refused  " in line for line in lines) < 3:
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=10)
    assert sum("first check" in line for line in lines) == 1
    probes, failed = re.search(r"(\d+) probes, (\d+) failed\n$", rest).groups()
    assert probes == failed
    assert process.returncode == 1


def test_probe_that_watches_ends_with_its_reader(web):
    script = (f"{agent.binary()} probe --watch --interval=100ms http://127.0.0.1:{web}/ | head -2")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20,
                          check=True)
    assert done.stdout.count("UP") == 2


def test_probe_shows_all_addresses_of_a_name(web, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 twice.test\n127.0.0.2 twice.test\n")
    need_mount_namespaces()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind {hosts} /etc/hosts && exec {agent.binary()} "
         f"probe --json --all-addresses http://twice.test:{web}/"],
        capture_output=True, text=True, timeout=30, check=False)
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [o["address"] for o in outcomes] == [f"127.0.0.1:{web}", f"127.0.0.2:{web}"]
    assert [o["error_class"] for o in outcomes] == ["none", "connect_refused"]
    assert done.returncode == 1


@pytest.mark.parametrize("arguments, message", [
    (["--interval=1s", "http://a/"], "--interval requires --watch"),
    (["--watch", "--interval=1ms", "http://a/"], "write a time from 100ms to 1d"),
])
def test_probe_refuses_what_makes_no_sense(arguments, message):
    done = run("probe", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_check_shows_what_names_come_to_and_connects_to_nothing(tmp_path):
    need_mount_namespaces()
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.5 app.test\n192.0.2.6 app.test\n2001:db8::7 app.test\n")
    path = tmp_path / "agent.toml"
    path.write_text(
        '[[upstream]]\nname = "app"\ntargets = ["http://app.test:8080/health?key=1"]\n'
        '[[upstream]]\nname = "four"\nip_protocol = "4"\ntargets = ["tcp://app.test:1"]\n'
        '[[upstream]]\nname = "plain"\ntargets = ["tcp://192.0.2.9:1"]\n')
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind {hosts} /etc/hosts && exec {agent.binary()} "
         f"check --config.file={path}"],
        capture_output=True, text=True, timeout=30, check=False)
    lines = done.stdout.splitlines()
    assert sorted(re.split(r"  +|, ", lines[0])) == [
        "192.0.2.5", "192.0.2.6", "[2001:db8::7]", "app", "http://app.test:8080/health"]
    assert lines[1] == "four   tcp://app.test:1  192.0.2.5, 192.0.2.6"
    assert lines[2] == "plain  tcp://192.0.2.9:1"
    assert re.fullmatch(rf"{path}: 3 upstreams, 3 targets, memory bound \d+ MiB", lines[-1])
    assert (done.returncode, done.stderr) == (0, "")
    asked_nobody = run("check", "--no-resolve", f"--config.file={path}").stdout.splitlines()
    assert asked_nobody[0] == "app    http://app.test:8080/health"


def test_check_says_what_this_user_may_not_do():
    if os.geteuid() != 0:
        pytest.skip("needs root, to become nobody")
    need("setpriv")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    if subprocess.run([*nobody, "test", "-x", agent.binary()], check=False).returncode != 0:
        pytest.skip("nobody may not run the agent where it was built")
    with tempfile.TemporaryDirectory(dir="/tmp") as directory, \
            socket.socket(socket.AF_UNIX) as server:
        os.chmod(directory, 0o755)
        server.bind(f"{directory}/app.sock")
        os.chmod(f"{directory}/app.sock", 0o600)
        with open(f"{directory}/agent.toml", "w", encoding="utf-8") as file:
            file.write(
                f'[web]\nlisten_address = [":80", "unix:{directory}/web.sock", ":10917"]\n'
                f'[[upstream]]\nname = "app"\ntargets = ["http+unix://{directory}/app.sock:/"]\n')
        done = subprocess.run(
            [*nobody, agent.binary(), "check", f"--config.file={directory}/agent.toml"],
            capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("out of reach: ")] == [
        "out of reach: web.listen_address :80: this user may not listen on the port "
        "(CAP_NET_BIND_SERVICE)",
        f"out of reach: web.listen_address unix:{directory}/web.sock: Permission denied in the "
        "socket's directory",
        f"out of reach: {directory}/app.sock: this user may not connect to the socket",
    ]


def test_probe_shows_what_was_said_without_secrets(tmp_path):
    asked = []

    def serve(peer, _stop):
        asked.append(read_request(peer))
        peer.sendall(b"HTTP/1.1 503 Busy\r\nSet-Cookie: id=s3cret\r\nContent-Length: 5\r\n\r\nfull\n")

    token = tmp_path / "token"
    token.write_text("s3cret")
    token.chmod(0o600)
    with serving(serve) as (_, port):
        path = tmp_path / "agent.toml"
        path.write_text(
            f'[[upstream]]\nname = "app"\ntargets = ["http://localhost:{port}/a?key=s3cret"]\n'
            f'[upstream.http]\nbearer_token_file = "{token}"\nmethod = "POST"\nbody = "s3cret"\n')
        done = run("probe", "-v", f"--config.file={path}", "app")
    assert b"Bearer s3cret" in asked[0] and b"key=s3cret" in asked[0]
    assert "s3cret" not in done.stdout
    said = re.findall(r"^ +[0-9.]+ ms  ([*<>] .*)$", done.stdout, re.M)
    assert said[0].startswith("* localhost has ")
    assert "* connected" in said
    for line in ("> POST /a?... HTTP/1.1", "> Authorization: <secret>", "> [6 bytes]",
                 "< HTTP/1.1 503 Busy", "< Set-Cookie: <secret>", "< [5 bytes] full\\x0a"):
        assert line in said, said
    assert "http_503" in done.stdout
    assert done.returncode == 1
