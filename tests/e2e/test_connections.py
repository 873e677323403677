# SPDX-License-Identifier: Apache-2.0
"""Where connections come from, how they are marked, and the PROXY line before all else."""
import re
import subprocess
import time

import pytest

from tests.e2e.test_exchange import results
from tests.lab import agent
from tests.lab.network import namespace
from tests.lab.processes import listening, need, process

LISTEN = """
import socket, sys, threading
def serve(listener):
    while True:
        connection, peer = listener.accept()
        connection.sendall(f"you are {peer[0]}\\r\\n".encode())
        connection.close()
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, 7000))
    listener.listen(64)
    threading.Thread(target=serve, args=(listener,)).start()
"""


def you_are(address):
    return f"[upstream.tcp]\nexchange = [{{ expect = '^you are {re.escape(address)}\\r\\n' }}]"


def test_source_address_and_interface(tmp_path):
    four, six = "tcp://127.0.0.1:7000", "tcp://[::1]:7000"
    config = (
        agent.upstream("default", four, you_are("127.0.0.1"))
        + agent.upstream("source", four, 'source_address = "127.0.0.77"\n' + you_are("127.0.0.77"))
        + agent.upstream("source6", six, 'source_address = "fd00::77"\n' + you_are("fd00::77"))
        + agent.upstream("not ours", four, 'source_address = "192.0.2.9"')
        + agent.upstream("leads nowhere", "tcp://192.0.2.1:7000", 'source_address = "127.0.0.1"')
        + agent.upstream("interface", four, 'interface = "lo"\n' + you_are("127.0.0.1"))
        + agent.upstream("no interface", four, 'interface = "nope0"')
    )
    with namespace() as inside:
        for command in ("ip addr add fd00::77/128 dev lo", "ip link add wire0 type veth peer name wire1",
                        "ip addr add 192.0.2.2/24 dev wire0", "ip link set wire0 up",
                        "ip link set wire1 up"):
            subprocess.run([*inside, *command.split()], check=True)
        with process(*inside, "/usr/bin/python3", "-c", LISTEN):
            time.sleep(1)
            with agent.running(config, tmp_path, prefix=inside) as running:
                assert results(running, 7) == {
                    "default": "none",
                    "source": "none",
                    "source6": "none",
                    "not ours": "config_invalid",
                    "leads nowhere": "config_invalid",
                    "interface": "none",
                    "no interface": "config_invalid",
                }
                page = running.get("/")
                assert "source_address is no address of this host" in page
                assert "this host has no such interface" in page
                # This host's trouble is not held against the upstream.
                time.sleep(1.5)
                assert running.value("upstream_up", upstream="not ours") is None
                assert running.value("upstream_agent_local_errors_total",
                                     reason="config_invalid") >= 3


@pytest.mark.parametrize("dscp,number", [('"af21"', 18), ('"EF"', 46), ("8", 8)])
def test_dscp_is_on_the_wire(tmp_path, dscp, number):
    config = (agent.upstream("four", "tcp://127.0.0.1:7000", f"dscp = {dscp}")
              + agent.upstream("six", "tcp://[::1]:7000", f"dscp = {dscp}"))
    with namespace() as inside:
        for tool in ("iptables", "ip6tables"):
            base = [*inside, tool, "-A", "OUTPUT", "-p", "tcp", "--dport", "7000", "--syn"]
            if subprocess.run([*base, "-m", "dscp", "--dscp", str(number)], check=False,
                              capture_output=True).returncode:
                pytest.skip(f"{tool} cannot match DSCP here")
            subprocess.run([*base, "-m", "dscp", "!", "--dscp", str(number)], check=True)

        def counted(tool):
            listing = subprocess.run([*inside, tool, "-nvxL", "OUTPUT"], check=True,
                                     capture_output=True, text=True).stdout
            return [int(line.split()[0]) for line in listing.splitlines()[2:]]

        with process(*inside, "/usr/bin/python3", "-c", LISTEN):
            time.sleep(1)
            with agent.running(config, tmp_path, prefix=inside) as running:
                assert results(running, 2) == {"four": "none", "six": "none"}
            for tool in ("iptables", "ip6tables"):
                marked, others = counted(tool)
                assert (marked > 0, others) == (True, 0), tool


def body(pattern):
    return f"[upstream.http]\nexpect_body = '{pattern}'"


PROXY = 'proxy_protocol = "v1"\n'
TRUST = "\n[upstream.tls]\ninsecure_skip_verify = true"


def test_nginx_and_haproxy_read_the_proxy_line(tmp_path):
    need("nginx", "haproxy")
    plain, tls, over = agent.free_port(), agent.free_port(), agent.free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                    tmp_path / "key", "-out", tmp_path / "cert", "-subj", "/CN=a"], check=True,
                   capture_output=True)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n"
        f"access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"ssl_certificate {tmp_path}/cert; ssl_certificate_key {tmp_path}/key;\n"
        f"server {{ listen 127.0.0.1:{plain} proxy_protocol; listen 127.0.0.1:{tls} ssl proxy_protocol;"
        f"listen unix:{tmp_path}/nginx.sock proxy_protocol;\n"
        "location / { return 200 'from <$proxy_protocol_addr> to <$proxy_protocol_server_port>'; } } }\n"
    )
    front = tmp_path / "haproxy.cfg"
    front.write_text(
        "defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n"
        f"frontend f\n bind 127.0.0.1:{over} accept-proxy\n bind unix@{tmp_path}/haproxy.sock accept-proxy\n"
        " http-request return status 200 content-type text/plain lf-string \"from <%[src]>\"\n"
    )
    target = f"http://127.0.0.1:{plain}/"
    from_here = body(f"^from <127\\.0\\.0\\.88> to <{plain}>$")
    source = 'source_address = "127.0.0.88"\n'
    config = (
        agent.upstream("nginx", target, PROXY + source + from_here)
        + agent.upstream("nginx tls", f"https://127.0.0.1:{tls}/",
                         PROXY + source + body(f"^from <127\\.0\\.0\\.88> to <{tls}>$") + TRUST)
        + agent.upstream("nginx unix", f"http+unix://{tmp_path}/nginx.sock:/", PROXY + body("^from <> "))
        + agent.upstream("nginx, no line", target)
        + agent.upstream("haproxy", f"http://127.0.0.1:{over}/",
                         PROXY + source + body("^from <127\\.0\\.0\\.88>"))
        + agent.upstream("haproxy unix", f"http+unix://{tmp_path}/haproxy.sock:/",
                         PROXY + body("^from <"))
        + agent.upstream("haproxy, no line", f"http://127.0.0.1:{over}/")
    )
    with process("/usr/sbin/nginx", "-c", str(conf)), \
            process("/usr/sbin/haproxy", "-db", "-f", str(front)):
        for port in (plain, over):
            listening(port)
        with agent.running(config, tmp_path) as running:
            found = results(running, 7)
            assert found.pop("nginx, no line") in ("closed_before_headers", "reset_before_headers")
            assert found.pop("haproxy, no line") in ("closed_before_headers", "reset_before_headers",
                                                     "http_4xx")
            assert found == dict.fromkeys(
                ["nginx", "nginx tls", "nginx unix", "haproxy", "haproxy unix"], "none")


def test_the_proxy_line_over_tcp_names_both_ends(tmp_path):
    listen = """
import os, socket, sys
def one(listener):
    connection, peer = listener.accept()
    line = connection.recv(200).decode()
    if listener.family == socket.AF_UNIX:
        wanted = "PROXY UNKNOWN\\r\\n"
    else:
        own = connection.getsockname()
        kind = "TCP4" if listener.family == socket.AF_INET else "TCP6"
        wanted = f"PROXY {kind} {peer[0]} {own[0]} {peer[1]} {own[1]}\\r\\n"
    connection.sendall(b"right" if line == wanted else repr((line, wanted)).encode())
    connection.close()
path = sys.argv[1]
listeners = [socket.create_server(("127.0.0.1", int(sys.argv[2]))),
             socket.create_server(("::1", int(sys.argv[2])), family=socket.AF_INET6),
             socket.socket(socket.AF_UNIX)]
listeners[2].bind(path)
listeners[2].listen()
import threading
def serve(listener):
    while True:
        one(listener)
for listener in listeners:
    threading.Thread(target=serve, args=(listener,)).start()
"""
    port = agent.free_port()
    path = tmp_path / "socket"
    right = PROXY + "[upstream.tcp]\nexchange = [{ expect = '^right' }]"
    config = (agent.upstream("four", f"tcp://127.0.0.1:{port}", right)
              + agent.upstream("six", f"tcp://[::1]:{port}", right)
              + agent.upstream("unix", f"tcp+unix://{path}", right))
    with process("/usr/bin/python3", "-c", listen, str(path), str(port)):
        for _ in range(50):
            if path.exists():
                break
            time.sleep(0.1)
        with agent.running(config, tmp_path) as running:
            assert results(running, 3) == dict.fromkeys(["four", "six", "unix"], "none")
