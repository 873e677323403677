# SPDX-License-Identifier: Apache-2.0
"""What name servers, the hosts file and the C library say of a name."""
import concurrent.futures
import pathlib
import subprocess

import pytest

from tests.lab import agent
from tests.lab.agent import upstream
from tests.lab.network import dns_namespace

def test_an_address_from_a_name_server():
    with dns_namespace() as inside:
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


@pytest.mark.parametrize("timeout", ["2s", "12s"])  # over before c-ares gives up, and after
def test_what_is_no_reply_is_not_silence(timeout):
    wanted = {name: ("dns_failed", "bad_reply") for name in ("garbage", "noise", "header", "echo")}
    silence = ("dns_timeout", "deadline" if timeout == "2s" else "timeout")
    wanted.update({name: silence for name in ("silent", "stray-id", "stray-peer")})
    with dns_namespace() as inside, concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
        results = {name: pool.submit(agent.probe, f"http://{name}.test/", prefix=inside,
                                     timeout=timeout) for name in wanted}
        found = {name: result.result()[0] for name, result in results.items()}
    assert {n: (r["error_class"], r["detail"]) for n, r in found.items()} == wanted


def test_no_rcode_but_3_says_that_a_name_is_not_there():
    details = {"nx": "rcode_3", "nodata": "nodata", "notauth": "rcode_9", "broken": "bad_reply"}
    with dns_namespace() as inside:
        for name, detail in details.items():
            result, _ = agent.probe(f"http://{name}.test/", prefix=inside)
            assert result["detail"] == detail, (name, result)


@pytest.mark.parametrize("timeout", ["2s", "12s"])
@pytest.mark.parametrize("name,address", [("only-a", "127.0.0.1:1"), ("only-aaaa", "[::1]:1")])
def test_one_family_is_used_where_the_other_stays_unanswered(name, address, timeout):
    with dns_namespace() as inside:
        result, _ = agent.probe(f"http://{name}.test:1/", prefix=inside, timeout=timeout)
        assert (result["error_class"], result["addresses"], result["address"]) == (
            "connect_refused", 1, address), result
        assert result["timings"]["dns"] < 1.9, result  # of 2 s; c-ares would go on for 7 s


def test_half_an_answer_is_not_kept(tmp_path):
    # The TTL is a minute.
    with dns_namespace() as inside, agent.running(
            upstream("late", "http://late.test:1/"), tmp_path, inside) as a:
        a.wait_for(lambda a: a.value("upstream_probe_addresses", upstream="late") == 1)
        a.wait_for(lambda a: a.value("upstream_probe_addresses", upstream="late") == 2)


def test_a_name_that_is_not_there_has_no_other_family():
    with dns_namespace() as inside:
        result, _ = agent.probe("http://only-nx.test/", prefix=inside)
        assert (result["error_class"], result["detail"]) == ("dns_not_found", "rcode_3"), result


def test_the_tries_are_those_of_resolv_conf():
    once = "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n"
    with dns_namespace(once) as inside:
        result, _ = agent.probe("http://silent.test/", prefix=inside, timeout="20s")
        # Three tries would take 7 s.
        assert (result["error_class"], result["detail"]) == ("dns_timeout", "timeout"), result
        assert result["timings"]["total"] < 5, result


@pytest.mark.parametrize("dead", [("127.0.0.53",), ("127.0.0.52", "127.0.0.53")])
def test_a_closed_resolver_port_is_told_at_once(dead):
    # Two names are asked for, each as A and AAAA; with the first also the root's servers.
    resolv = "".join(f"nameserver {address}\n" for address in dead) + "search a.test\n"
    with dns_namespace(resolv, servers=()) as inside:
        for _ in range(5):
            result, _ = agent.probe("http://ok.test:1/", prefix=inside, timeout="5s")
            assert (result["error_class"], result["detail"]) == (
                "dns_failed", "server_unreachable"), result
            assert result["timings"]["total"] < 0.9, result  # the shortest wait for an answer is 1 s


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
