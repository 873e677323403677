# SPDX-License-Identifier: Apache-2.0
"""What scripts rely on: exit codes and output of the commands."""
import json
import subprocess

from tests.lab import agent


def run(*arguments):
    return subprocess.run([agent.binary(), *arguments], capture_output=True, text=True, timeout=30,
                          check=False)


def test_the_catalogue_as_json():
    rows = json.loads(run("explain", "--all", "--json").stdout)
    assert len(rows) == 41
    assert sorted(row["code"] for row in rows) == list(range(1, 42))
    assert all(row["likely_cause"] and row["first_check"] and row["command"] for row in rows)


def test_explain_one_class_and_none():
    assert "not running" in run("explain", "connect_refused").stdout
    wrong = run("explain", "conect_refused")
    assert wrong.returncode == 2
    assert "did you mean connect_refused?" in wrong.stderr


def test_usage_errors_end_with_2():
    for arguments in (["--nope"], ["nope"], ["probe"], ["probe", "127.0.0.1:80"],
                      ["probe", "ftp://127.0.0.1/"], ["probe", "--timeout", "5", "http://a/"]):
        assert run(*arguments).returncode == 2, arguments


def test_help_and_version():
    assert "probe" in run("--help").stdout
    assert run("--version").stdout.startswith("upstream-agent ")


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
        f"{path}:3:11: upstream.targets: a port is a number from 1 to 65535, not '99999'",
        f"{path}:4:1: unknown key 'upstream.intervall'; did you mean 'interval'?",
        f"{path}:5:11: upstream.timeout: the timeout (20s) is longer than the interval (15s)",
        f"{path}:6:10: upstream.labels: 'job' is set by the agent or by Prometheus; choose another",
    ]
    path.write_text('[[upstream]]\nname = "a"\ntargets = ["http://127.0.0.1:1/"]\n')
    done = run("check", f"--config.file={path}")
    assert done.returncode == 0
    assert "1 upstreams, 1 targets" in done.stdout
    assert run("check", "--config.file=/nonexistent.toml").returncode == 78
