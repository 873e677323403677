# SPDX-License-Identifier: Apache-2.0
"""What a firewall does, and a network that lacks something."""
import subprocess
import time

from tests.lab import agent
from tests.lab.network import namespace
from tests.lab.processes import process

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


def test_what_is_sent_and_never_acknowledged(tmp_path):
    exchange = agent.upstream("tcp", "tcp://127.0.0.1:5011",
                              '[upstream.tcp]\nexchange = [{ send = "PING\\r\\n", expect = "PONG" }]')
    config = tmp_path / "agent.toml"
    config.write_text(exchange + agent.upstream("http", "http://127.0.0.1:5011/"))
    listen = "import socket, time\ns = socket.create_server(('127.0.0.1', 5011))\ntime.sleep(60)\n"
    with namespace() as inside:
        # The handshake passes, what carries data does not.
        drop = ("-p", "tcp", "--dport", "5011", "--tcp-flags", "PSH", "PSH", "-j", "DROP")
        with process(*inside, "/usr/bin/python3", "-c", listen):
            time.sleep(0.5)
            for name in ("tcp", "http"):
                result, _ = agent.probe(name, f"--config.file={config}", prefix=inside)
                assert (result["error_class"], result["phase"]) == (
                    "response_timeout", "response_headers"), result
            subprocess.run([*inside, "iptables", "-A", "INPUT", *drop], check=True)
            for name in ("tcp", "http"):
                result, _ = agent.probe(name, f"--config.file={config}", prefix=inside)
                assert (result["error_class"], result["phase"], result["detail"]) == (
                    "request_unacked", "request", "unacked"), result


def test_no_ipv6_is_no_lack_of_ports():
    with namespace() as inside:
        subprocess.run([*inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"], check=True)
        for url in ("tcp://[::1]:9", "tcp://[2001:db8::1]:9"):
            result, _ = agent.probe(url, prefix=inside)
            assert result["error_class"] == "unreachable", result
        result, _ = agent.probe("tcp://[fe80::1]:9")
        assert (result["error_class"], result["detail"]) == ("config_invalid", "zone_missing")
