# SPDX-License-Identifier: Apache-2.0
"""The daemon against real servers: nginx before a Node application, Prometheus, reload, trouble."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from tests.lab import agent, hanging, hostile


def upstream(name, url, more=""):
    return (f'[[upstream]]\nname = "{name}"\ntargets = ["{url}"]\ninterval = "500ms"\n'
            f'timeout = "400ms"\n{more}\n')


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None and not os.path.exists(f"/usr/sbin/{tool}"):
            pytest.skip(f"{tool} is not installed")


@contextlib.contextmanager
def process(*arguments, **options):
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def listening(port):
    """Waits until something does."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


@contextlib.contextmanager
def nginx(tmp_path, port, backend):
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
        "events {}\nhttp { access_log off;\n"
        f"client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{backend}; "
        "proxy_connect_timeout 1s; proxy_read_timeout 5s; } } }\n"
    )
    with process("/usr/sbin/nginx", "-c", str(conf)) as child:
        yield child


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
        open_now = len(os.listdir(f"/proc/{a.process.pid}/fd"))
        subprocess.run(["prlimit", f"--nofile={max(open_now - 4, 8)}:", "-p", str(a.process.pid)],
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


NETNS = "upstream-agent-test"


@contextlib.contextmanager
def namespace():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    need("ip", "iptables")
    subprocess.run(["ip", "netns", "del", NETNS], capture_output=True, check=False)
    if subprocess.run(["ip", "netns", "add", NETNS], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces cannot be made here")
    inside = ["ip", "netns", "exec", NETNS]
    try:
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "del", NETNS], check=False)


@contextlib.contextmanager
def dns_namespace(resolv="nameserver 127.0.0.53\n", files=None, servers=("127.0.0.53",)):
    """A namespace whose only resolvers are the lab's, each "address" or "address/RCODE"."""
    folder = f"/etc/netns/{NETNS}"
    with namespace() as inside:
        os.makedirs(folder, exist_ok=True)
        try:
            for name, text in {"resolv.conf": resolv, **(files or {})}.items():
                with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                    file.write(text)
            script = str(agent.ROOT / "tests/lab/dns.py")
            with contextlib.ExitStack() as stack:
                children = [stack.enter_context(process(*inside, "/usr/bin/python3", script,
                                                        *server.split("/"))) for server in servers]
                time.sleep(0.5)
                assert all(child.poll() is None for child in children)
                yield inside
        finally:
            shutil.rmtree(folder)


DNS = {
    "nx": "dns_not_found",
    "nodata": "dns_not_found",
    "servfail": "dns_failed",
    "refused": "dns_failed",
    "notimp": "dns_failed",
    "formerr": "dns_failed",
    "half": "dns_failed",
    "silent": "dns_timeout",
}


def test_what_a_resolver_says():
    with dns_namespace() as inside:
        for name, wanted in DNS.items():
            result, _ = agent.probe(f"http://{name}.test/", prefix=inside, timeout="2s")
            assert (result["error_class"], result["phase"]) == (wanted, "dns"), (name, result)
            assert set(result["timings"]) == {"total"}, result
        result, _ = agent.probe("http://ok.test:1/", prefix=inside)
        assert result["error_class"] == "connect_refused", result
        assert (result["addresses"], result["address"]) == (1, "127.0.0.1:1")
        assert "dns" in result["timings"]


@pytest.mark.parametrize("rcode", ["servfail", "refused", "notimp"])
def test_the_next_name_server_is_asked_where_the_first_fails(rcode):
    two = "nameserver 127.0.0.52\nnameserver 127.0.0.53\n"
    with dns_namespace(two, servers=(f"127.0.0.52/{rcode}", "127.0.0.53")) as inside:
        result, _ = agent.probe("http://ok.test:1/", prefix=inside)
        assert (result["error_class"], result["address"]) == ("connect_refused", "127.0.0.1:1")
        result, _ = agent.probe("http://nx.test:1/", prefix=inside)
        assert result["error_class"] == "dns_not_found", result
    with dns_namespace(two, servers=(f"127.0.0.52/{rcode}", f"127.0.0.53/{rcode}")) as inside:
        result, _ = agent.probe("http://ok.test:1/", prefix=inside)
        code = {"servfail": 2, "refused": 5, "notimp": 4}[rcode]
        assert (result["error_class"], result["detail"]) == ("dns_failed", f"rcode_{code}"), result


def test_both_families_come_from_one_name_of_the_search_list():
    search = "nameserver 127.0.0.53\nsearch a.test b.test\n"
    with dns_namespace(search) as inside:
        # four.a.test has an A record only, four.b.test an AAAA record only.
        result, _ = agent.probe("http://four:1/", prefix=inside)
        assert (result["addresses"], result["address"]) == (1, "127.0.0.1:1"), result


def test_the_hosts_file_comes_before_any_server():
    hosts = {"hosts": "127.0.0.9 servfail.test pinned\n"}
    with dns_namespace(files=hosts) as inside:
        for name in ("servfail.test", "pinned", "PINNED"):
            result, _ = agent.probe(f"http://{name}:1/", prefix=inside)
            assert (result["error_class"], result["address"]) == ("connect_refused", "127.0.0.9:1")


def test_sources_that_only_the_c_library_knows():
    """nsswitch.conf names a source of the lab's; a not-found is confirmed by it."""
    library = pathlib.Path(agent.binary()).parent / "tests/lab"
    if not (library / "libnss_lab.so.2").exists():
        pytest.skip("libnss_lab.so.2 is not built beside the agent")
    nsswitch = {"nsswitch.conf": "hosts: files lab dns\n", "hosts": "127.0.0.1 localhost\n"}
    env = ["env", f"LD_LIBRARY_PATH={library}"]
    with dns_namespace(files=nsswitch) as inside:
        result, _ = agent.probe("http://only-nss.test:1/", prefix=[*inside, *env])
        assert (result["error_class"], result["address"]) == ("connect_refused", "127.0.0.1:1")
        result, _ = agent.probe("http://nx.test/", prefix=[*inside, *env])
        assert (result["error_class"], result["detail"]) == ("dns_not_found", "rcode_3"), result
        # Not held up for ever by a source that is; nothing is claimed to be confirmed.
        result, _ = agent.probe("http://hangs.test/", prefix=[*inside, *env], timeout="5s")
        assert (result["error_class"], result["detail"]) == ("dns_not_found", "rcode_3,unconfirmed")


def test_a_dead_resolver_blames_nobody(tmp_path):
    config = "".join(upstream(name, f"http://{name}.test/") for name in ("silent", "nx"))
    with dns_namespace() as inside, agent.running(config, tmp_path, inside) as a:
        # The resolver answers for one name: the other's silence is its own.
        a.wait_for(lambda a: a.value("upstream_up", upstream="nx") == 0
                   and a.value("upstream_up", upstream="silent") == 0)
    alone = upstream("silent", "http://silent.test/")
    with dns_namespace() as inside, agent.running(alone, tmp_path, inside) as a:
        # Also alone: a zone that hangs is not a resolver that does.
        a.wait_for(lambda a: a.value("upstream_up", upstream="silent") == 0)
        assert not a.value("upstream_agent_local_errors_total", reason="resolver_dead")
    with dns_namespace() as inside:
        subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "udp", "--dport", "53", "-j",
                        "DROP"], check=True)
        with agent.running(alone, tmp_path, inside) as a:
            a.wait_for(lambda a: a.value("upstream_agent_local_errors_total",
                                           reason="resolver_dead") >= 3)
            assert a.value("upstream_up", upstream="silent") is None


FIREWALL = {
    "DROP": "connect_timeout",
    "REJECT": "connect_firewall_rejected",
    "REJECT --reject-with icmp-admin-prohibited": "connect_firewall_rejected",
    "REJECT --reject-with icmp-host-unreachable": "unreachable",
    "REJECT --reject-with tcp-reset": "connect_refused",
}


def test_what_a_firewall_does():
    with namespace() as inside:
        for i, (rule, wanted) in enumerate(FIREWALL.items()):
            port = 5000 + i
            subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", str(port),
                            "-j", *rule.split()], check=True)
            result, _ = agent.probe(f"tcp://127.0.0.1:{port}", prefix=inside, timeout="1s")
            assert (result["error_class"], result["phase"]) == (wanted, "connect"), (rule, result)
            time.sleep(1.1)  # the kernel answers one ICMP error a second


def test_a_reset_where_this_host_listens_is_the_firewalls():
    with namespace() as inside:
        subprocess.run([*inside, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", "5009", "-j",
                        "REJECT", "--reject-with", "tcp-reset"], check=True)
        listen = ("import socket, sys, time\ns = socket.create_server(('127.0.0.1', 5009))\n"
                  "six = socket.socket(socket.AF_INET6)\n"
                  "six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n"
                  "six.bind(('::', 5010)); six.listen()\ntime.sleep(60)\n")
        with process(*inside, "/usr/bin/python3", "-c", listen):
            time.sleep(0.5)
            result, _ = agent.probe("tcp://127.0.0.1:5009", prefix=inside)
            assert result["error_class"] == "connect_firewall_rejected", result
            assert result["detail"] == "rst,listening"
            # A listener for IPv6 alone says nothing about IPv4.
            result, _ = agent.probe("tcp://127.0.0.1:5010", prefix=inside)
            assert result["error_class"] == "connect_refused", result


def test_no_ipv6_is_no_lack_of_ports():
    with namespace() as inside:
        subprocess.run([*inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"], check=True)
        for url in ("tcp://[::1]:9", "tcp://[2001:db8::1]:9"):
            result, _ = agent.probe(url, prefix=inside)
            assert result["error_class"] == "unreachable", result
        result, _ = agent.probe("tcp://[fe80::1]:9")
        assert (result["error_class"], result["detail"]) == ("config_invalid", "zone_missing")


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


def sd_messages(path):
    """A socket like systemd's; what came is in the list that is returned, in order."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(path))
    server.settimeout(10)
    return server


def test_systemd_hears_of_start_reload_end_and_life(tmp_path):
    systemd = sd_messages(tmp_path / "notify")
    config = tmp_path / "agent.toml"
    config.write_text("# nothing\n")
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    port = agent.free_port()
    with process(agent.binary(), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                 env=environment) as child:
        def next_but_watchdog():
            for _ in range(100):  # ten seconds of watchdog messages
                message = systemd.recv(1000).decode()
                if message != "WATCHDOG=1":
                    return message
            return "nothing but WATCHDOG=1"
        assert next_but_watchdog() == "READY=1"
        # Not before there is something to show.
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        assert "\nhost_load1 " in page
        assert systemd.recv(1000) == b"WATCHDOG=1"
        child.send_signal(signal.SIGHUP)
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", next_but_watchdog())
        assert next_but_watchdog() == "READY=1"
        child.terminate()
        assert next_but_watchdog() == "STOPPING=1"
        assert child.wait(timeout=5) == 0


def test_a_watchdog_of_another_process_is_none_of_ours(tmp_path):
    systemd = sd_messages(tmp_path / "notify")
    systemd.settimeout(1)
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"),
                   "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}
    with process(agent.binary(), "--web.listen-address=127.0.0.1:0", env=environment):
        heard = []
        with contextlib.suppress(TimeoutError):
            while len(heard) < 5:
                heard.append(systemd.recv(1000))
        assert heard == [b"READY=1"]


def test_a_sampler_that_hangs_delays_the_start_but_does_not_keep_it_from_happening(tmp_path):
    systemd = sd_messages(tmp_path / "notify")
    environment = {**hanging.environment(), "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with hanging.directory(tmp_path / "hang") as hang:
        begin = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/pressure && exec "$@"',
                 str(hang), agent.binary(), "--web.listen-address=127.0.0.1:0"]
        with process(*begin, env=environment) as child:
            systemd.settimeout(1.5)
            with pytest.raises(TimeoutError):
                systemd.recv(1000)
            hanging.wait_for(child)
            systemd.settimeout(10)
            assert systemd.recv(1000) == b"READY=1"
            child.terminate()
            assert child.wait(timeout=5) == 0
