# SPDX-License-Identifier: Apache-2.0
"""The daemon against real servers: nginx before a Node application, Prometheus, reload, trouble."""
import contextlib
import json
import os
import signal
import subprocess
import time

import pytest

from tests.lab import agent, hostile
from tests.lab.agent import upstream
from tests.lab.network import namespace
from tests.lab.processes import listening, need, nginx, process


def test_nginx_before_a_node_application_that_stops(tmp_path):
    need("nginx", "node")
    front, back = agent.free_port(), agent.free_port()
    app = tmp_path / "app.js"
    app.write_text(
        "require('http').createServer((q, r) => r.end('hello')).listen(%d, '127.0.0.1')" % back
    )
    config = upstream("front", f"http://127.0.0.1:{front}/") + upstream(
        "app", f"http://127.0.0.1:{back}/"
    )
    with nginx(tmp_path, front, back), agent.running(config, tmp_path) as a:
        with process("node", str(app)):
            a.wait_for(lambda a: a.value("upstream_up", upstream="front") == 1
                       and a.value("upstream_up", upstream="app") == 1)
        a.wait_for(lambda a: a.value("upstream_up", upstream="front") == 0
                   and a.value("upstream_up", upstream="app") == 0)
        assert a.value("upstream_probe_errors_total", upstream="app", phase="connect",
                       error_class="connect_refused") >= 2
        assert a.value("upstream_probe_errors_total", upstream="front", phase="http_status",
                       error_class="http_gateway_error") >= 2
        assert a.value("upstream_probe_result_code", upstream="app") == 7
        page = a.get("/")
        assert "connect_refused" in page and "ss -ltnp" in page
        with process("node", str(app)):
            a.wait_for(lambda a: a.value("upstream_up", upstream="front") == 1)


# What the application does: its class, and that of nginx in front of it.


TROUBLE = {
    "hang": ("response_timeout", "response_timeout"),
    "close": ("closed_before_headers", "http_gateway_error"),
    "reset": ("reset_before_headers", "http_gateway_error"),
    "503": ("http_503", "http_503"),
    "500": ("http_5xx", "http_5xx"),
}


APPLICATION = """
const { readFileSync } = require('fs');
require('http').createServer((request, response) => {
  const mode = readFileSync(process.argv[2], 'utf8');
  if (mode === 'hang') return;
  if (mode === 'close') return request.socket.end();
  if (mode === 'reset') return request.socket.resetAndDestroy();
  response.writeHead(mode === 'well' ? 200 : Number(mode)).end('hello');
}).listen(Number(process.argv[3]), '127.0.0.1');
"""


def test_nginx_before_a_node_application_in_every_trouble(tmp_path):
    need("nginx", "node")
    front, back = agent.free_port(), agent.free_port()
    mode = tmp_path / "mode"
    mode.write_text("well")
    (tmp_path / "app.js").write_text(APPLICATION)
    config = upstream("front", f"http://127.0.0.1:{front}/") + upstream(
        "app", f"http://127.0.0.1:{back}/"
    )

    def shows(a, name, error_class):
        """The class of the last result, and that it was counted with its phase."""
        code = catalogue[error_class]["code"]
        counted = a.value("upstream_probe_errors_total", upstream=name, error_class=error_class,
                          phase=catalogue[error_class]["phase"])
        return a.value("upstream_probe_result_code", upstream=name) == code and counted

    listed = subprocess.run([agent.binary(), "explain", "--all", "--json"], capture_output=True,
                            check=True)
    catalogue = {row["name"]: row for row in json.loads(listed.stdout)}
    def up(a):
        return (a.value("upstream_up", upstream="front") == 1
                and a.value("upstream_up", upstream="app") == 1)

    with contextlib.ExitStack() as stack:
        stack.enter_context(process("node", str(tmp_path / "app.js"), str(mode), str(back)))
        stack.enter_context(nginx(tmp_path, front, back))
        listening(front)
        listening(back)
        a = stack.enter_context(agent.running(config, tmp_path))
        a.wait_for(up)
        for trouble, (app_class, front_class) in TROUBLE.items():
            mode.write_text(trouble)
            a.wait_for(lambda a: shows(a, "app", app_class) and shows(a, "front", front_class))
            a.wait_for(lambda a: a.value("upstream_up", upstream="front") == 0
                       and a.value("upstream_up", upstream="app") == 0)
            mode.write_text("well")
            a.wait_for(up)
        counted = {labels["error_class"]
                   for labels, value in a.metrics()["upstream_probe_errors_total"] if value > 0}
        assert counted == {name for classes in TROUBLE.values() for name in classes}


def test_a_page_that_prometheus_accepts(tmp_path):
    need("prometheus", "promtool")
    port = agent.free_port()
    with hostile.serving("ok") as (host, http), agent.running(
        upstream("ok", f"http://{host}:{http}/"), tmp_path
    ) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="ok") == 1)
        checked = subprocess.run(["promtool", "check", "metrics"], input=a.get("/metrics"),
                                 capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
        series = [s for name, samples in a.metrics().items() for s in samples
                  if s[0].get("upstream") == "ok"]
        assert len(series) <= 48
        conf = tmp_path / "prometheus.yml"
        conf.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: agent\n"
                        f"  static_configs: [{{targets: ['127.0.0.1:{a.port}']}}]\n")
        with process("prometheus", f"--config.file={conf}", f"--storage.tsdb.path={tmp_path}/data",
                     f"--web.listen-address=127.0.0.1:{port}"):
            end = time.monotonic() + 30
            answer = ""
            while '"1"' not in answer and time.monotonic() < end:
                time.sleep(0.5)
                answer = subprocess.run(
                    ["curl", "-s", f"http://127.0.0.1:{port}/api/v1/query?query=up"],
                    capture_output=True, text=True, check=False).stdout
            assert '"1"' in answer, answer


def test_reload_keeps_what_did_not_change_and_refuses_what_is_wrong(tmp_path):
    with hostile.serving("ok") as (host, port):
        one = upstream("one", f"http://{host}:{port}/1")
        two = upstream("two", f"http://{host}:{port}/2")
        with agent.running(one + two, tmp_path) as a:
            a.wait_for(lambda a: (a.value("upstream_probe_attempts_total", upstream="one") or 0) >= 4)
            config = tmp_path / "agent.toml"
            config.write_text(one + 'nonsense = "x"\n')
            a.process.send_signal(signal.SIGHUP)
            a.wait_for(lambda a: a.value("upstream_agent_config_last_reload_successful") == 0)
            assert a.value("upstream_up", upstream="two") == 1
            config.write_text(one + upstream("three", f"http://{host}:{port}/3"))
            a.process.send_signal(signal.SIGHUP)
            a.wait_for(lambda a: a.value("upstream_up", upstream="three") == 1)
            assert a.value("upstream_agent_config_last_reload_successful") == 1
            assert a.value("upstream_probe_attempts_total", upstream="one") >= 4
            assert a.value("upstream_up", upstream="two") is None


def test_own_descriptors_run_out_and_no_upstream_is_blamed(tmp_path):
    need("prlimit")
    with hostile.serving("ok") as (host, port), agent.running(
        '[metrics]\nbirth_hold = "0s"\n' + upstream("ok", f"http://{host}:{port}/"), tmp_path
    ) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="ok") == 1)
        always_open = None  # and not just while a probe, a sample or a scrape has something open
        for _ in range(20):
            open_now = len(os.listdir(f"/proc/{a.process.pid}/fd"))
            always_open = min(open_now, always_open or open_now)
            time.sleep(0.05)
        subprocess.run(["prlimit", f"--nofile={always_open - 4}:", "-p", str(a.process.pid)],
                       check=True)
        time.sleep(3)
        subprocess.run(["prlimit", "--nofile=1024:", "-p", str(a.process.pid)], check=True)
        a.wait_for(lambda a: a.value("upstream_agent_local_errors_total",
                                     reason="resources_exhausted") > 0)
        assert a.value("upstream_probe_errors_total", upstream="ok", phase="local",
                       error_class="local_resources_exhausted") > 0
        assert a.value("upstream_up", upstream="ok") == 1


def test_a_stopped_process_blames_nobody(tmp_path):
    # The server takes 0.4 s of every second, so that a stop falls into a running probe.
    config = ('[[upstream]]\nname = "ok"\ntargets = ["http://127.0.0.1:%d/"]\n'
              'interval = "500ms"\ntimeout = "500ms"\n')
    with hostile.serving("slow") as (_, port), agent.running(config % port, tmp_path) as a:
        a.wait_for(lambda a: a.value("upstream_up", upstream="ok") == 1)
        for _ in range(4):
            a.process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            a.process.send_signal(signal.SIGCONT)
            before = a.value("upstream_probe_attempts_total", upstream="ok")
            a.wait_for(
                lambda a: a.value("upstream_probe_attempts_total", upstream="ok") >= before + 2
            )
            assert a.value("upstream_up", upstream="ok") == 1
        over = [v for labels, v in a.metrics()["upstream_probe_duration_seconds_bucket"]
                if float(labels["le"]) in (1, float("inf"))]
        assert over[0] == over[1], "a latency across the pause was observed"


def test_localhost_needs_no_resolver_and_leaks_nothing(tmp_path):
    with hostile.serving("ok") as (_, port), agent.running(
        upstream("local", f"http://localhost:{port}/"), tmp_path
    ) as a:  # the sanitizer build reports a leak by its exit status
        a.wait_for(lambda a: a.value("upstream_up", upstream="local") == 1)
        assert a.value("upstream_probe_addresses", upstream="local") == 2


def test_a_socket_that_the_sandbox_hides_is_not_called_refused(tmp_path):
    private = tmp_path / "systemd-private-0-upstream-agent.service-x/tmp"
    private.mkdir(parents=True)
    script = f'mount --bind {private} /var/tmp && exec "$0" "$@"'
    inside = ["unshare", "-m", "sh", "-c", script]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces cannot be made here")
    for url in ("http+unix:///var/tmp/app.sock", "tcp+unix:///var/tmp/app.sock"):
        result, _ = agent.probe(url, prefix=inside)
        assert (result["error_class"], result["phase"]) == ("config_invalid", "local"), result
        assert "PrivateTmp=no" in result["message"]
        assert "systemctl edit upstream-agent" in result["message"]


def test_980_blackholed_do_not_disturb_20_healthy(tmp_path):
    with namespace() as inside:
        subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j",
                        "DROP"], check=True)
        app = tmp_path / "app.py"
        app.write_text("import http.server as h\nclass H(h.BaseHTTPRequestHandler):\n"
                       " def do_GET(s): s.send_response(204); s.end_headers()\n"
                       " def log_message(s, *a): pass\n"
                       "h.ThreadingHTTPServer(('127.0.0.1', 8080), H).serve_forever()\n")
        config = "".join(
            f'[[upstream]]\nname = "dark{i}"\ntargets = ["tcp://127.1.{i // 200}.{i % 200 + 1}:9"]\n'
            'interval = "5s"\ntimeout = "4s"\n' for i in range(980)
        ) + "".join(
            f'[[upstream]]\nname = "well{i}"\ntargets = ["http://127.0.0.1:8080/{i}"]\n'
            'interval = "1s"\ntimeout = "900ms"\n' for i in range(20)
        )
        with process(*inside, "/usr/bin/python3", str(app)), agent.running(
            config, tmp_path, inside
        ) as a:
            a.wait_for(lambda a: (a.value("upstream_probe_attempts_total", upstream="dark979") or 0) > 0
                       and (a.value("upstream_probe_attempts_total", upstream="well19") or 0) > 0, 60)

            def attempts():
                return {l["upstream"]: v for l, v in a.metrics()["upstream_probe_attempts_total"]
                        if l["upstream"].startswith("well")}

            before, begin = attempts(), time.monotonic()
            time.sleep(10)
            after, took = attempts(), time.monotonic() - begin
            for name, count in after.items():
                assert count - before[name] >= int(took) - 2, (name, count - before[name], took)
                assert a.value("upstream_up", upstream=name) == 1
            assert a.value("upstream_up", upstream="dark0") == 0
