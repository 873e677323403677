# SPDX-License-Identifier: Apache-2.0
"""DNS probes of a real dnsmasq, and of name servers that fail on purpose."""
import contextlib
import json
import socket
import subprocess
import time

import pytest

from tests.lab import agent, name_server
from tests.lab.processes import need, process

UDP = {"request", "response_headers", "total"}
SILENT = {"request", "total"}
TCP = {"connect", "request", "response_headers", "total"}
TCP_SILENT = {"connect", "request", "total"}
RECORDS = """
address=/web.test/192.0.2.1
address=/web.test/2001:db8::1
cname=www.alias.test,target.alias.test
host-record=target.alias.test,192.0.2.9
mx-host=mail.test,mx.mail.test,10
txt-record=text.test,"v=spf1 -all","a;b"
srv-host=_http._tcp.srv.test,web.test,8080,5,7
ptr-record=1.2.0.192.in-addr.arpa,web.test
caa-record=caa.test,0,issue,ca.test
dns-rr=raw.test,99,0102
"""


@contextlib.contextmanager
def dnsmasq(folder, more=""):
    need("dnsmasq")
    port = agent.free_port()
    config = folder / "dnsmasq.conf"
    config.write_text(f"port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n"
                      f"no-daemon\nuser=\ngroup=\npid-file\nlocal=/test/\n{RECORDS}\n{more}\n")
    with process("dnsmasq", "-k", f"--conf-file={config}"):
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"dns://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with dnsmasq(tmp_path_factory.mktemp("dnsmasq")) as url:
        yield url


@pytest.fixture(scope="module")
def hostile():
    with name_server.serve() as server:
        yield server


def found(result):
    return result["error_class"], result["detail"], set(result["timings"])


@pytest.mark.parametrize("transport,timed", [("udp", UDP), ("tcp", TCP)])
def test_a_real_server_answers(real, transport, timed):
    result, status = agent.probe(f"{real}/web.test?transport={transport}")
    assert (status, *found(result)) == (0, "none", "", timed)


@pytest.mark.parametrize("name,kind,pattern", [
    ("web.test", "A", r"^web\.test\.\t\d+\tIN\tA\t192\.0\.2\.1$"),
    ("WEB.test.", "AAAA", r"\tAAAA\t2001:db8::1$"),
    ("www.alias.test", "A", r"^www\.alias\.test\.\t\d+\tIN\tCNAME\ttarget\.alias\.test\.$"),
    ("mail.test", "MX", r"\tMX\t10 mx\.mail\.test\.$"),
    ("text.test", "TXT", r'\tTXT\t"v=spf1 -all" "a;b"$'),
    ("_http._tcp.srv.test", "SRV", r"\tSRV\t5 7 8080 web\.test\.$"),
    ("1.2.0.192.in-addr.arpa", "PTR", r"\tPTR\tweb\.test\.$"),
    ("caa.test", "CAA", r'\tCAA\t0 issue "ca\.test"$'),
])
def test_records_of_a_real_server_are_as_zone_files_have_them(real, tmp_path, name, kind, pattern):
    result = agent.probe_with(tmp_path, f"{real}/{name}?type={kind}",
                              f"[upstream.dns]\nexpect_answers = ['{pattern}']")
    assert found(result) == ("none", "", UDP)
    result = agent.probe_with(tmp_path, f"{real}/{name}?type={kind}",
                              f"[upstream.dns]\nexpect_answers = ['{pattern}', 'nowhere']")
    assert found(result) == ("content_mismatch", "expect_answers", UDP)
    result = agent.probe_with(tmp_path, f"{real}/{name}?type={kind}",
                              f"[upstream.dns]\nreject_answers = ['nowhere', '{pattern}']")
    assert found(result) == ("content_mismatch", "reject_answers", UDP)
    assert result["message"] == "an answer record matches reject_answers"


def test_a_name_that_a_real_server_does_not_know(real, tmp_path):
    result, status = agent.probe(f"{real}/missing.test")
    assert (status, *found(result)) == (1, "content_mismatch", "rcode_3", UDP)
    assert result["message"] == "the server says NXDOMAIN, not NOERROR"
    result = agent.probe_with(tmp_path, real, '[upstream.dns]\nquery = "missing.test"\ntype = "MX"\n'
                                              'expect_rcode = ["NXDOMAIN", "REFUSED"]')
    assert found(result) == ("none", "", UDP)
    # Outside of its own zone it has nobody to ask.
    result, _ = agent.probe(f"{real}/example.org")
    assert found(result) == ("content_mismatch", "rcode_5", UDP)


def test_an_answer_that_does_not_fit_is_asked_for_over_tcp(tmp_path):
    lines = "\n".join(f"host-record=big.test,198.51.100.{i}" for i in range(1, 120))
    with dnsmasq(tmp_path, lines) as url:
        result = agent.probe_with(tmp_path, f"{url}/big.test",
                                  "[upstream.dns]\nexpect_answers = ['\\t198\\.51\\.100\\.119$']")
    assert found(result) == ("none", "", TCP)


@pytest.mark.parametrize("label,error_class,detail,timed", [
    ("ok", "none", "", UDP),
    ("empty", "none", "", UDP),
    ("alias", "none", "", UDP),
    ("late", "none", "", UDP),
    *((f"rcode-{i}", "content_mismatch", f"rcode_{i}", UDP) for i in range(1, 12)),
    ("edns-16", "content_mismatch", "rcode_16", UDP),
    ("oldrcode", "content_mismatch", "rcode_1", UDP),
    ("silent", "response_timeout", "", SILENT),
    ("id", "response_timeout", "stray_answers", SILENT),
    ("question", "response_timeout", "stray_answers", SILENT),
    ("header", "response_timeout", "stray_answers", SILENT),
    ("peer", "response_timeout", "", SILENT),
    ("query", "invalid_response", "no_reply", SILENT),
    ("opcode", "invalid_response", "no_reply", SILENT),
    ("loop", "invalid_response", "malformed", UDP),
    ("ahead", "invalid_response", "malformed", UDP),
    ("cut", "invalid_response", "malformed", UDP),
    ("long", "invalid_response", "malformed", UDP),
    ("tc", "none", "", TCP),
    ("tc-always", "invalid_response", "truncated", TCP),
])
def test_each_fault_over_udp_has_its_class(hostile, label, error_class, detail, timed):
    result, status = agent.probe(hostile.url(label), timeout="600ms")
    assert found(result) == (error_class, detail, timed)
    assert status == (0 if error_class == "none" else 1)
    assert result["timings"]["total"] < 0.85


@pytest.mark.parametrize("label,error_class,detail,timed", [
    ("ok", "none", "", TCP),
    ("rcode-2", "content_mismatch", "rcode_2", TCP),
    ("tc-always", "invalid_response", "truncated", TCP),
    ("id", "invalid_response", "other_id", TCP),
    ("question", "invalid_response", "other_question", TCP),
    ("query", "invalid_response", "no_reply", TCP),
    ("loop", "invalid_response", "malformed", TCP),
    ("short", "invalid_response", "no_reply", TCP),
    ("http", "protocol_mismatch", "not_dns", TCP),
    ("fin", "closed_before_headers", "fin", TCP_SILENT),
    ("half", "closed_before_headers", "fin,partial_answer", TCP_SILENT),
    ("rst", "reset_before_headers", "rst", TCP_SILENT),
    ("half-rst", "reset_before_headers", "rst,partial_answer", TCP_SILENT),
    ("half-hang", "response_timeout", "partial_answer", TCP_SILENT),
])
def test_each_fault_over_tcp_has_its_class(label, error_class, detail, timed):
    with name_server.serve() as server:
        result, _ = agent.probe(server.url(label, "?transport=tcp"), timeout="600ms")
        assert found(result) == (error_class, detail, timed)
        assert [transport for transport, _ in server.asked] == ["tcp"]


def test_what_was_not_the_answer_is_counted(hostile):
    result, _ = agent.probe(hostile.url("id"), timeout="400ms")
    assert result["message"] == "nothing came but what is not the answer: 1 with another id"
    result, _ = agent.probe(hostile.url("question"), timeout="400ms")
    assert result["message"] == "nothing came but what is not the answer: 1 to another question"


@pytest.mark.parametrize("transport,detail,message", [
    ("udp", "icmp_3_3", ""), ("tcp", "errno_111", "Connection refused")])
def test_a_closed_port_is_refused(transport, detail, message):
    result, status = agent.probe(f"dns://127.0.0.1:{agent.free_port()}/a.test?transport={transport}")
    assert (status, *found(result)) == (1, "connect_refused", detail, {"total"})
    assert result["message"] == message


def test_truncated_and_nobody_there_over_tcp(hostile):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)
        child = subprocess.Popen(
            [agent.binary(), "probe", "--json", f"dns://127.0.0.1:{udp.getsockname()[1]}/tc.test"],
            stdout=subprocess.PIPE, text=True)
        query, peer = udp.recvfrom(4096)
        udp.sendto(name_server.answers(query, False)[0][0], peer)
        result = json.loads(child.communicate(timeout=10)[0].splitlines()[0])
    assert found(result) == ("connect_refused", "errno_111,truncated", UDP)


@pytest.mark.parametrize("desired,bit", [("true", 1), ("false", 0)])
def test_the_question_is_as_configured(tmp_path, desired, bit):
    with name_server.serve() as server:
        agent.probe_with(tmp_path, server.url("ok", "?type=TXT"),
                         f"[upstream.dns]\nrecursion_desired = {desired}")
        (_, query), = server.asked
    assert query[2:12] == bytes([bit, 0, 0, 1, 0, 0, 0, 0, 0, 1])
    assert query[12:] == b"\2ok\4test\0\0\x10\0\1" + b"\0\0\x29\x04\xd0" + bytes(6)


def test_the_tables_transport_connects_like_the_urls(tmp_path):
    with name_server.serve() as server:
        result = agent.probe_with(tmp_path, server.url("ok"), '[upstream.dns]\ntransport = "tcp"')
        assert found(result) == ("none", "", TCP)
        assert [transport for transport, _ in server.asked] == ["tcp"]


def test_the_source_address_is_the_one_configured(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)
        config = tmp_path / "probe.toml"
        config.write_text(f'[[upstream]]\nname = "a"\ntimeout = "300ms"\nsource_address = "127.0.0.7"\n'
                          f'targets = ["dns://127.0.0.1:{udp.getsockname()[1]}/a.test"]\n')
        child = subprocess.Popen([agent.binary(), "probe", "a", f"--config.file={config}"],
                                 stdout=subprocess.DEVNULL)
        assert udp.recvfrom(4096)[1][0] == "127.0.0.7"
        child.wait(10)


def test_the_transcript_shows_the_records(hostile):
    done = subprocess.run([agent.binary(), "probe", "-v", hostile.url("ok")], capture_output=True,
                          text=True, timeout=20, check=True)
    assert "NOERROR, 2 answer records" in done.stdout + done.stderr
    assert "ok.test. 60 IN A 127.0.0.2" in done.stdout + done.stderr


def test_a_question_that_is_not_clear_is_the_configurations_fault():
    result, _ = agent.probe("dns://127.0.0.1/")
    assert found(result) == ("config_invalid", "target", {"total"})
    assert result["message"] == ("the name to ask for is missing: dns://server/example.org, or "
                                 "dns.query")
