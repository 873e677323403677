# SPDX-License-Identifier: Apache-2.0
"""What is discovered of nginx, with nginx itself as the oracle.

Each case is a server of one nginx in namespaces of its own. Requests go through nginx to servers that
write down where and how they were asked. Then nginx is stopped, the agent discovers the same
configuration, and its probes must have asked the same.
"""
import json
import os
import pathlib
import re
import subprocess
import time
from typing import NamedTuple

import pytest

from tests.lab import agent, certs
from tests.lab.namespaces import ended, namespaces
from tests.lab.nginx_cases import HTTP, STREAM, Case, StreamCase

MODULES = pathlib.Path("/usr/lib/nginx/modules")
PORTS = (80, 81, 443, 8080, 8443)


def filled_in(text, number, case, folder):
    name = case.name.replace("_", "-") + ".test"
    for mark, value in {"@ip2": f"127.1.{number}.2", "@ip": f"127.1.{number}.1",
                        "@v6": f"fd00::{number:x}", "@name": name,
                        "@unix": f"unix:{folder}/{case.name}.sock",
                        "@front": "front." + name}.items():
        text = text.replace(mark, value)
    return text


def http_text(case):
    return (f"{case.http}\nserver {{ listen @own:{case.listen}; server_name {case.server_name};\n"
            f"{case.server}\nlocation / {{ {case.location} }} }}\n")


def write_configuration(folder):
    """Files of nginx and the hosts file; what has to listen for them, a line each."""
    etc = folder / "nginx"
    for name in ("conf.d", "stream.d", "snippets", "certs"):
        (etc / name).mkdir(parents=True)
    certs.make(etc / "certs")
    (etc / "snippets/proxy.conf").write_text("proxy_set_header Host $host;\n")
    (etc / "nginx.conf").write_text(
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        + "".join(f"load_module {MODULES}/{name}_module.so;\n"
                  for name in ("ndk_http", "ngx_http_lua", "ngx_stream"))
        + "events { worker_connections 4096; }\n"
        "stream { include stream.d/*.conf; }\n"
        "http { access_log off; server_names_hash_bucket_size 128;\n"
        " ssl_certificate certs/good.pem; ssl_certificate_key certs/good.key;\n"
        " include /etc/nginx/conf.d/*.conf; }\n")
    hosts, listeners = ["127.0.0.1 localhost"], []
    for number, case in enumerate(HTTP + STREAM, 1):
        stream = isinstance(case, StreamCase)
        text = (case.text.replace("@front", "@own:80") if stream else http_text(case))
        text = text.replace("@own", f"127.2.{number}.1")
        kind = "stream.d" if stream else "conf.d"
        (etc / kind / f"{case.name}.conf").write_text(filled_in(text, number, case, folder),
                                                      newline="")
        hosts.append(filled_in("@ip @name", number, case, folder))
        addresses = ["@ip", "@ip2"] + (["@v6"] if "@v6" in text else [])
        listeners += [filled_in(f"{address} {port}", number, case, folder)
                      for address in addresses for port in PORTS]
        if "@unix" in text:
            listeners.append(filled_in("@unix", number, case, folder))
    (folder / "hosts").write_text("\n".join(hosts) + "\n")
    return listeners


def recorded(folder, begin):
    time.sleep(0.5)  # until what just ended is written
    lines = (folder / "asked.json").read_text().splitlines()[begin:]
    return [json.loads(line) for line in lines]


def ask(prefix, case, number):
    """The status codes of requests through nginx, as many as reach every server."""
    host = filled_in("@front", number, case, "")
    if isinstance(case, StreamCase):
        urls = [f"http://127.2.{number}.1/"] * 2
    else:
        port, *tls = case.listen.split()
        urls = [f"http{'s' if tls else ''}://127.2.{number}.1:{port}{path}" for path in case.paths]
        urls = [filled_in(url, number, case, "") for url in urls * 3]
        host += "" if port in ("80", "443") else f":{port}"
    one = ["-s", "-k", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}\n", "-H", f"Host: {host}"]
    command = [*prefix, "curl"]
    for url in urls:
        command += [*one, url, "--next"]
    done = subprocess.run(command[:-1], capture_output=True, text=True, check=False)
    return {int(code) for code in done.stdout.split()}


def of_case(asked, case, number, folder):
    """What was asked of the case's own servers."""
    own = (f"127.1.{number}.", f"[fd00::{number:x}]", f"unix:{folder}/{case.name}.sock")
    return [one for one in asked if one["at"].startswith(own)]


class Lab(NamedTuple):
    folder: pathlib.Path
    statuses: list      # by case: the codes that visitors of nginx got
    by_nginx: list      # all that nginx asked
    by_agent: list      # all that the agent asked
    success: dict       # (upstream, target) -> value
    notes: list         # of discovery


def through_nginx(prefix, folder):
    tried = subprocess.run([*prefix, "/usr/sbin/nginx", "-t"], capture_output=True, text=True,
                           check=False)
    assert tried.returncode == 0, tried.stderr
    with ended(subprocess.Popen([*prefix, "/usr/sbin/nginx"])) as nginx:
        for _ in range(100):
            time.sleep(0.1)
            assert nginx.poll() is None, (folder / "error.log").read_text()
            if (folder / "nginx.pid").read_text():  # which the trial left empty
                break
        return [ask(prefix, case, number) for number, case in enumerate(HTTP + STREAM, 1)]


def by_the_agent(prefix, folder):
    config = folder / "check.toml"
    config.write_text("[discovery]\nnginx = true\n")
    done = subprocess.run([*prefix, agent.binary(), "check", f"--config.file={config}"],
                          capture_output=True, text=True, check=True)
    *lines, last = done.stdout.splitlines()
    notes = [line for line in lines if line.startswith("discovery: ")]
    targets = int(re.search(r"(\d+) targets", last)[1])
    text = config.read_text() + '[defaults]\ninterval = "3s"\ntimeout = "2s"\n'
    with agent.running(text, folder, prefix) as a:
        a.wait_for(lambda a: len(a.metrics().get("upstream_probe_success", [])) == targets)
        success = {(labels["upstream"], labels["target"]): value
                   for labels, value in a.metrics()["upstream_probe_success"]}
    return notes, success


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    for tool in ("/usr/sbin/nginx", "/usr/bin/unshare", "/usr/bin/curl",
                 f"{MODULES}/ngx_stream_module.so", f"{MODULES}/ngx_http_lua_module.so"):
        if not os.path.exists(tool):
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    listeners = write_configuration(folder)
    certificate = folder / "nginx/certs/good"
    v6 = {line.split()[0] for line in listeners if line.startswith("fd00:")}
    mounts = {folder / "nginx": "/etc/nginx", folder / "hosts": "/etc/hosts"}
    # An address that is not of loopback is there for each family, without which the C library takes
    # names for those of the other one alone.
    with namespaces(mounts, {"198.51.100.1", *v6}) as prefix, ended(subprocess.Popen(
            [*prefix, "/usr/bin/python3", str(agent.ROOT / "tests/lab/recorder.py"),
             f"{certificate}.pem", f"{certificate}.key", str(folder / "asked.json")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as recorder:
        recorder.stdin.write("\n".join(listeners))
        recorder.stdin.close()
        assert recorder.stdout.readline() == "ready\n"
        statuses = through_nginx(prefix, folder)
        by_nginx = recorded(folder, 0)
        notes, success = by_the_agent(prefix, folder)
        yield Lab(folder, statuses, by_nginx, recorded(folder, len(by_nginx)), success, notes)


def questions(asked):
    """What was asked over HTTP: where, TLS or not, server name, Host and path."""
    return {(one["at"], one["tls"], one.get("sni", ""), one["host"], one["path"])
            for one in asked if "path" in one}


def places(asked):
    return {one["at"] for one in asked}


NUMBERED = list(enumerate(HTTP + STREAM, 1))


@pytest.mark.parametrize("number,case", NUMBERED, ids=[case.name for _, case in NUMBERED])
def test_the_agent_asks_what_nginx_asks(lab, number, case):
    nginx = of_case(lab.by_nginx, case, number, lab.folder)
    probes = of_case(lab.by_agent, case, number, lab.folder)
    if isinstance(case, StreamCase):
        assert places(probes) == (places(nginx) if case.asked else set())
        return
    assert lab.statuses[number - 1] == {case.status}
    if case.connects:
        assert places(probes) == places(nginx) != set()
        assert questions(probes) == set()
        return
    wanted = {one for one in questions(nginx)
              if not case.missing or not any(part in one[0] + one[4] for part in case.missing)}
    assert questions(probes) == wanted
    assert bool(questions(nginx)) != case.down


@pytest.mark.parametrize("number,case", NUMBERED, ids=[case.name for _, case in NUMBERED])
def test_a_probe_succeeds_where_nginx_does(lab, number, case):
    if getattr(case, "missing", ()) or not getattr(case, "asked", True):
        pytest.skip("not all of it is probed")
    own = [filled_in(mark, number, case, lab.folder).removeprefix("unix:")
           for mark in ("//@ip:", "//@ip2:", "//[@v6]:", "//@name:", "@unix")]
    verdicts = {target: value for (_, target), value in lab.success.items()
                if any(part in target for part in own)}
    dead = {target for target in verdicts if ":9/" in target}  # nothing listens there
    assert {target for target, value in verdicts.items() if value == 0} == (
        set(verdicts) if getattr(case, "down", False) else dead)
    assert verdicts


def test_what_is_left_out_is_noted(lab):
    wanted = {f"/etc/nginx/{'conf.d' if isinstance(case, Case) else 'stream.d'}/{case.name}.conf: "
              + filled_in(case.note, number, case, lab.folder)
              for number, case in NUMBERED if case.note}
    assert {re.sub(r"^discovery: (\S+?):\d+: ", r"\1: ", note) for note in lab.notes} == wanted
    assert len(lab.notes) == len(wanted)


def test_names_are_those_of_nginx(lab):
    names = {upstream for upstream, _ in lab.success}
    assert {"block_up", "block_up by http", "Block_Case_Up", "127.1.2.1:8080", "[fd00::b]:80",
            "name.test:8080", f"unix:{lab.folder}/unix.sock"} <= names
    assert {target for upstream, target in lab.success if upstream == "locations_up"} == {
        f"http://{filled_in('@ip', number, case, lab.folder)}:80{path}"
        for number, case in NUMBERED if case.name == "locations" for path in ("/", "/c", "/e/")}
