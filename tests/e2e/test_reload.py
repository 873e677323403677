# SPDX-License-Identifier: Apache-2.0
"""Reading the configuration: at the start, again and again, and where it never comes back."""
import signal
import subprocess
import time

from tests.lab import agent, hanging, hostile


def test_a_signal_while_the_configuration_is_read_ends_nothing_unheard(tmp_path):
    with hanging.directory(tmp_path / "dead") as dead:
        process = subprocess.Popen([agent.binary(), f"--config.file={dead}/agent.toml"],
                                   env=hanging.environment())
        try:
            hanging.wait_for(process)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
        finally:
            process.kill()
            process.wait()


def test_a_reload_that_hangs_holds_up_neither_probes_nor_pages_nor_the_end(tmp_path):
    with hostile.serving("ok") as (host, port), hanging.directory(tmp_path / "dead") as dead:
        config = ('[metrics]\nbirth_hold = "0s"\n[[upstream]]\nname = "ok"\n'
                  f'targets = ["http://{host}:{port}/"]\ninterval = "200ms"\n'
                  'timeout = "200ms"\nfall = 1\n')
        with agent.running(config, tmp_path, env=hanging.environment()) as a:
            a.wait_for(lambda a: a.value("upstream_up", upstream="ok") == 1)
            (tmp_path / "conf.d").symlink_to(dead)
            a.process.send_signal(signal.SIGHUP)
            hanging.wait_for(a.process)
            before = a.value("upstream_probe_attempts_total", upstream="ok")
            a.wait_for(
                lambda a: a.value("upstream_probe_attempts_total", upstream="ok") >= before + 10
            )
            assert a.value("upstream_up", upstream="ok") == 1
            # Leaving, running() asserts that the end takes less than 5 s.


def test_a_reload_that_changes_while_it_runs_is_not_lost(tmp_path):
    """Each answer means that what the file held before the request is in use."""
    with hostile.serving("ok") as (host, port):
        def config(name):
            return (f'[[upstream]]\nname = "{name}"\ntargets = ["http://{host}:{port}/"]\n'
                    'interval = "1h"\ntimeout = "1s"\n')

        with agent.running(config("first"), tmp_path) as a:
            for i in range(20):
                (tmp_path / "new").write_text(config(f"u{i}"))
                (tmp_path / "new").rename(tmp_path / "agent.toml")
                for _ in range(i % 3):
                    a.process.send_signal(signal.SIGHUP)
                assert "Reloaded." in a.post("/-/reload")
                assert [labels["upstream"] for labels, _ in a.metrics()["upstream_info"]] == [
                    f"u{i}"
                ]


def test_a_file_that_is_emptied_or_gone_changes_nothing(tmp_path):
    with hostile.serving("ok") as (host, port):
        config = (f'[[upstream]]\nname = "ok"\ntargets = ["http://{host}:{port}/"]\n'
                  'interval = "1h"\ntimeout = "1s"\n')
        with agent.running(config, tmp_path) as a:
            a.wait_for(lambda a: a.value("upstream_probe_success", upstream="ok") == 1)
            path = tmp_path / "agent.toml"
            path.write_text("")
            assert a.post("/-/reload") == (
                "The configuration was not changed:\n"
                f"{path}:1:1: is empty, as if it had been cut off; where that is meant, write a "
                "comment into it\n"
            )
            path.unlink()
            assert "cannot open: No such file" in a.post("/-/reload")
            assert a.value("upstream_agent_config_last_reload_successful") == 0
            assert a.value("upstream_probe_success", upstream="ok") == 1
            path.write_text(config)
            assert a.post("/-/reload") == "Reloaded.\n"
            assert a.value("upstream_agent_config_last_reload_successful") == 1


def test_what_waits_for_a_restart_is_said_and_the_log_level_does_not(tmp_path):
    with agent.running("# defaults\n", tmp_path) as a:
        (tmp_path / "agent.toml").write_text(
            '[logging]\nlevel = "error"\n[limits]\nmax_series = 7\n[host]\ninterval = "1h"\n'
        )
        said = "Reloaded.\nThese changes wait for a restart: limits.max_series, host.interval.\n"
        assert a.post("/-/reload") == said
        assert a.post("/-/reload") == said
        assert a.value("upstream_agent_series_limit") == 1_000_000
        (tmp_path / "agent.toml").write_text('[logging]\nlevel = "info"\n')
        assert a.post("/-/reload") == "Reloaded.\n"
    # The first and the last.
    assert logged(tmp_path).count("configuration is in use") == 2


def test_every_mistake_is_a_line_of_the_log_whoever_asked(tmp_path):
    with agent.running("# defaults\n", tmp_path) as a:
        path = tmp_path / "agent.toml"
        path.write_text("".join(f"key{i} = 1\n" for i in range(101)))
        said = a.post("/-/reload")
        mistakes = [f"{path}:{i + 1}:1: unknown key 'key{i}'" for i in range(101)]
        assert said.splitlines() == ["The configuration was not changed:", *mistakes]
        a.process.send_signal(signal.SIGHUP)
        a.wait_for(lambda a: logged(tmp_path).count("the other mistakes") == 2)
    lines = logged(tmp_path).splitlines()
    assert sum('"the configuration was not changed" mistakes=101' in line for line in lines) == 2
    for i, mistake in enumerate(mistakes):
        assert sum(f'mistake="{mistake}"' in line for line in lines) == (2 if i < 100 else 0)


def logged(tmp_path):
    return (tmp_path / "agent.log").read_text()
