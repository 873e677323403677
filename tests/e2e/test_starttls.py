# SPDX-License-Identifier: Apache-2.0
"""tcp.starttls: real servers, and peers that break the dialogue at each step."""
import contextlib
import socket
import ssl
import subprocess

import pytest

from tests.lab import agent, certs, hostile, mail

WORDS = ("smtp", "imap", "pop3", "ftp", "postgres", "mysql")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return certs.clients(certs.make(tmp_path_factory.mktemp("pki")))


def ask(port, word, pki, folder, more="", timeout="2s"):
    config = folder / "probe.toml"
    config.write_text(f'[[upstream]]\nname = "lab"\ntargets = ["tls://127.0.0.1:{port}"]\n'
                      f'[upstream.tls]\nca_file = "{pki}/ca.pem"\n{more}\n'
                      f'[upstream.tcp]\nstarttls = "{word}"\n')
    return agent.probe("lab", f"--config.file={config}", timeout=timeout)[0]


def found(result):
    return result["error_class"], result["detail"]


REAL = {"dovecot": ("imap", "pop3", "smtp"), "vsftpd": ("ftp",), "postgres": ("postgres",),
        "mariadb": ("mysql",)}


def started(kind, *arguments, **options):
    return {"dovecot": mail.dovecot, "vsftpd": mail.vsftpd, "postgres": mail.postgres,
            "mariadb": mail.mariadb}[kind](*arguments, **options)


@pytest.mark.parametrize("kind", REAL)
@pytest.mark.parametrize("tls", [True, False])
def test_real_servers(kind, tls, pki, tmp_path):
    with started(kind, tmp_path, pki, tls) as ports:
        for word in REAL[kind]:
            port = ports[word] if isinstance(ports, dict) else ports
            result = ask(port, word, pki, tmp_path)
            if not tls:
                assert found(result) == ("protocol_mismatch", f"starttls_{word},not_offered"), result
                assert set(result["timings"]) == {"connect", "total"}
                continue
            assert found(result) == ("none", ""), result
            assert set(result["timings"]) == {"connect", "response_headers", "tls", "total"}
            assert result["tls"]["verified"] and result["tls"]["subject"] == "CN = good"
            # The certificate is judged as ever.
            result = ask(port, word, pki, tmp_path, 'server_name = "elsewhere.test"')
            assert found(result) == ("tls_cert_name_mismatch", f"name,starttls_{word}"), result
            assert set(result["timings"]) == {"connect", "response_headers", "total"}
            done = subprocess.run(["sh", "-c", result["command"]], capture_output=True, text=True,
                                  timeout=20, check=False)
            assert f"-starttls {word} " in result["command"]
            assert "DNS:localhost" in done.stdout, (result["command"], done.stderr)


def test_a_real_server_without_a_free_connection(pki, tmp_path):
    with mail.mariadb(tmp_path, pki, more=["--max-connections=10"]) as port, \
            contextlib.ExitStack() as held:
        for _ in range(12):
            held.enter_context(socket.create_connection(("127.0.0.1", port), 5)).recv(1)
        result = ask(port, "mysql", pki, tmp_path)
        assert found(result) == ("pool_exhausted", "starttls_mysql,greeting,code_1040"), result
        assert "Too many connections" in result["message"]


def test_a_real_server_with_too_many_clients(pki, tmp_path):
    with mail.vsftpd(tmp_path, pki, more="max_clients=1\n") as port, \
            contextlib.ExitStack() as held:
        said = b"421"
        while said == b"421":  # until it has forgotten who came to see whether it listens
            one = held.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            said = one.recv(3)
        result = ask(port, "ftp", pki, tmp_path)
        assert found(result) == ("pool_exhausted", "starttls_ftp,greeting,busy"), result
        assert "421 There are too many connected users" in result["message"]


def mysql_packet(payload, number=0):
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def mysql_greeting(capabilities):
    return mysql_packet(b"\x0a8.0.1\0" + b"\1\0\0\0" + b"12345678\0" +
                        capabilities.to_bytes(2, "little") + b"\x21" + bytes(30))


# What the server says at first, and after each request.
WELL = {
    "smtp": [b"220-mx.test\r\n220 ready\r\n", b"250-mx.test\r\n250-SIZE 1\r\n250 STARTTLS\r\n",
             b"220 go\r\n"],
    "imap": [b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n", b"a2 OK go\r\n"],
    "pop3": [b"+OK ready\r\n", b"+OK list\r\nUSER\r\nSTLS\r\n.\r\n", b"+OK go\r\n"],
    "ftp": [b"220-hello\r\n 230 of them\r\n220 ready\r\n", b"234 go\r\n"],
    "postgres": [b"", b"S"],
    "mysql": [mysql_greeting(0x0800)],
}
ASKED = {"smtp": [b"EHLO upstream-agent.invalid\r\n", b"STARTTLS\r\n"],
         "imap": [b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n"], "pop3": [b"CAPA\r\n", b"STLS\r\n"],
         "ftp": [b"AUTH TLS\r\n"], "postgres": [b"\0\0\0\x08\x04\xd2\x16\x2f"],
         "mysql": [b"\x20\0\0\1\0\x8a\x08\0\0\0\0\1\x21" + bytes(23)]}
STEPS = {"smtp": ("greeting", "capabilities", "command"), "imap": ("greeting", "capabilities", "command"),
         "pop3": ("greeting", "capabilities", "command"), "ftp": ("greeting", "command"),
         "postgres": (None, "command"), "mysql": ("greeting",)}


def dialogue(word, context=None, replies=None, end="hang", piece=None, heard=None):
    """Says these, each after a request, then makes a handshake or ends so."""
    def serve(peer, stop):
        peer.settimeout(5)
        for i, reply in enumerate(replies if replies is not None else WELL[word]):
            if i > 0:
                request = peer.recv(4096)
                if heard is not None:
                    heard.append(request)
            for at in range(0, len(reply), piece or len(reply) or 1):
                peer.sendall(reply[at:at + (piece or len(reply))])
                if piece and stop.wait(0.002):
                    return
        if context is not None:
            if word == "mysql":
                request = peer.recv(36, socket.MSG_WAITALL)
                if heard is not None:
                    heard.append(request)
            with context.wrap_socket(peer, server_side=True) as secure:
                secure.recv(1)
        elif end == "hang":
            stop.wait(30)
        elif end == "fin":
            peer.recv(4096)  # what it says next; with it unread a close would be a reset
        elif end == "rst":
            peer.recv(1)
            hostile.reset(peer)

    return serve


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("piece", [None, 1, 7])
def test_the_dialogue_comes_in_any_pieces(word, piece, pki, tmp_path):
    heard = []
    context = hostile.tls_context(pki / "good.pem", pki / "good.key")
    with hostile.serving(dialogue(word, context, piece=piece, heard=heard)) as (_, port):
        result = ask(port, word, pki, tmp_path)
    assert found(result) == ("none", ""), result
    assert heard == ASKED[word]


@pytest.mark.parametrize("name,error_class,detail", [
    ("expired", "tls_cert_expired", "x509_10"), ("self_signed", "tls_cert_untrusted", "x509_18")])
def test_certificates_that_are_not_good(name, error_class, detail, pki, tmp_path):
    context = hostile.tls_context(pki / f"{name}.pem", pki / f"{name}.key")
    with hostile.serving(dialogue("smtp", context)) as (_, port):
        result = ask(port, "smtp", pki, tmp_path)
        assert found(result) == (error_class, detail + ",starttls_smtp"), result
        assert len(result["tls"]["fingerprint_sha256"]) == 64
        result = ask(port, "smtp", pki, tmp_path, "insecure_skip_verify = true")
        assert found(result) == ("none", "")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_demanded(version, pki, tmp_path):
    context = hostile.tls_context(pki / "good.pem", pki / "good.key", pki / "ca.pem", version)
    with hostile.serving(dialogue("imap", context)) as (_, port):
        result = ask(port, "imap", pki, tmp_path)
        assert result["error_class"] == "tls_client_cert_required", result
        identity = f'cert_file = "{pki}/client.pem"\nkey_file = "{pki}/client.key"'
        assert found(ask(port, "imap", pki, tmp_path, identity)) == ("none", "")


def cut_off():
    for word in WORDS:
        for i, step in enumerate(STEPS[word]):
            for end, error_class, token in (("hang", "response_timeout", ""),
                                            ("fin", "closed_before_headers", ",fin"),
                                            ("rst", "reset_before_headers", ",rst")):
                if step is not None and (i > 0 or end == "hang" or word == "postgres"):
                    yield word, i, step, end, error_class, token


@pytest.mark.parametrize("word,said,step,end,error_class,token", cut_off())
def test_silence_and_ends_at_each_step(word, said, step, end, error_class, token, pki, tmp_path):
    with hostile.serving(dialogue(word, replies=WELL[word][:said], end=end)) as (_, port):
        result = ask(port, word, pki, tmp_path, timeout="600ms" if end == "hang" else "2s")
    assert found(result) == (error_class, f"starttls_{word},{step}{token}"), result
    assert result["phase"] == "response_headers"
    assert set(result["timings"]) == {"connect", "total"}
    assert result["timings"]["total"] <= 0.85


@pytest.mark.parametrize("word", ["smtp", "mysql"])
@pytest.mark.parametrize("serve,error_class,token", [
    (lambda peer, stop: peer.close(), "closed_before_headers", "fin"),
    (lambda peer, stop: stop.wait(0.1) or hostile.reset(peer), "reset_before_headers", "rst")])
def test_ends_before_the_greeting(word, serve, error_class, token, pki, tmp_path):
    with hostile.serving(serve) as (_, port):
        result = ask(port, word, pki, tmp_path)
    assert found(result) == (error_class, f"starttls_{word},greeting,{token}"), result


def says(*replies):
    return list(replies)


SAID = [
    # word, replies, class, rest of the detail, in the message
    ("smtp", says(b"421 4.3.2 All server ports are busy\r\n"), "pool_exhausted", "greeting,busy", "busy"),
    ("smtp", says(b"421 4.7.0 Error: too many connections from 192.0.2.1\r\n"), "rate_limited",
     "greeting,busy", "too many connections from"),
    ("smtp", says(b"554 5.7.1 no\x1b[31m\r\n"), "content_mismatch", "greeting,code_554", r"no\x1b[31m"),
    ("smtp", says(b"220 a\r\n", b"250 a\r\n"), "protocol_mismatch", "not_offered", "no TLS"),
    ("smtp", says(b"220 a\r\n", b"502 what?\r\n"), "protocol_mismatch", "not_offered", "502 what?"),
    ("smtp", says(b"220 a\r\n", b"550 who are you\r\n"), "content_mismatch", "capabilities,code_550", "who"),
    ("smtp", says(b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"454 TLS not available\r\n"),
     "tls_handshake_failed", "command,code_454", "454 TLS not available"),
    ("smtp", says(b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n250 pwned\r\n"),
     "protocol_mismatch", "command,extra_bytes", "250 pwned"),
    ("smtp", says(b"220 a\r\n250 STARTTLS\r\n"), "protocol_mismatch", "capabilities,extra_bytes",
     "250 STARTTLS"),
    ("smtp", says(b"220 a\r\n", b"250-a\r\n220 b\r\n"), "invalid_response", "capabilities,reply", "220 b"),
    ("smtp", says(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol_mismatch", "not_smtp", "SSH-2.0"),
    ("smtp", says(b"* OK imap\r\n"), "protocol_mismatch", "not_smtp", "* OK imap"),
    ("smtp", says(b"220-" + b"x" * 9000), "invalid_response", "greeting,over_8KiB", "8 KiB"),
    ("smtp", says(b"220-x\r\n" * 3000), "invalid_response", "greeting,over_8KiB", "8 KiB"),
    ("smtp", says(b"220 half"), "response_timeout", "greeting,partial", "did not end"),
    ("imap", says(b"* BYE too many\r\n"), "pool_exhausted", "greeting,busy", "* BYE"),
    ("imap", says(b"* PREAUTH you\r\n"), "protocol_mismatch", "not_offered", "PREAUTH"),
    ("imap", says(b"* OK\r\n", b"* CAPABILITY STARTTLSX\r\na1 OK\r\n"), "protocol_mismatch", "not_offered",
     "no TLS"),
    ("imap", says(b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na1 OK\r\n", b"a2 NO no key\r\n"),
     "tls_handshake_failed", "command,no", "no key"),
    ("imap", says(b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na1 OK\r\n", b"a2 OK\r\n* CAPABILITY AUTH=X\r\n"),
     "protocol_mismatch", "command,extra_bytes", "AUTH=X"),
    ("pop3", says(b"-ERR locked\r\n"), "content_mismatch", "greeting,err", "locked"),
    ("pop3", says(b"+OK\r\n", b"-ERR\r\n", b"-ERR what\r\n"), "protocol_mismatch", "not_offered", "what"),
    ("pop3", says(b"+OK\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"-ERR no key\r\n"), "tls_handshake_failed",
     "command,err", "no key"),
    ("pop3", says(b"220 ftp\r\n"), "protocol_mismatch", "not_pop3", "220 ftp"),
    ("ftp", says(b"220 a\r\n", b"502 what\r\n"), "protocol_mismatch", "not_offered", "502 what"),
    ("ftp", says(b"220 a\r\n", b"534 policy\r\n"), "tls_handshake_failed", "command,code_534", "policy"),
    ("ftp", says(b"220 a\r\n", b"234 go\r\n331 pwned\r\n"), "protocol_mismatch", "command,extra_bytes",
     "331 pwned"),
    ("postgres", says(b"", b"N"), "protocol_mismatch", "not_offered", "no TLS"),
    ("postgres", says(b"", b"Scould be anything"), "protocol_mismatch", "command,extra_bytes",
     "could be anything"),
    ("postgres", says(b"", b"Ecould not fork\n\0"), "content_mismatch", "command,error", "could not fork"),
    ("postgres", says(b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"), "protocol_mismatch", "not_postgres", "400"),
    ("mysql", says(mysql_greeting(0xf7ff)), "protocol_mismatch", "not_offered", "no TLS"),
    ("mysql", says(mysql_greeting(0x0800) + b"more"), "protocol_mismatch", "greeting,extra_bytes", "more"),
    ("mysql", says(mysql_packet(b"\xff\x69\x04Host 'x' is blocked")), "rate_limited", "greeting,code_1129",
     "is blocked"),
    ("mysql", says(mysql_packet(b"\xff\x6a\x04Host 'x' is not allowed")), "content_mismatch",
     "greeting,code_1130", "is not allowed"),
    ("mysql", says(b"SSH-2.0-OpenSSH\r\n"), "protocol_mismatch", "not_mysql", "SSH"),
    ("mysql", says(b"\x50\0\0\0\x0a8.0"), "response_timeout", "greeting,partial", "did not end"),
]


@pytest.mark.parametrize("word,replies,error_class,detail,message", SAID)
def test_what_servers_say_instead(word, replies, error_class, detail, message, pki, tmp_path):
    with hostile.serving(dialogue(word, replies=replies)) as (_, port):
        result = ask(port, word, pki, tmp_path, timeout="600ms" if "timeout" in error_class else "2s")
    assert found(result) == (error_class, f"starttls_{word},{detail}"), result
    assert message in result["message"]
    assert len(result["message"]) < 400
    assert set(result["timings"]) == {"connect", "total"}
    wanted = {"tls": "-starttls " + word, "protocol": "upstream-agent probe -v lab"}
    assert wanted.get(result["phase"], "") in result["command"]


def test_a_greeting_that_drips(pki, tmp_path):
    with hostile.serving(hostile.greet_slowly(b"220 " + b"x" * 1000)) as (_, port):
        result = ask(port, "smtp", pki, tmp_path)
    assert found(result) == ("response_timeout", "starttls_smtp,greeting,partial"), result
    assert result["timings"]["total"] <= 2.25


@pytest.mark.parametrize("peer,error_class,detail", [
    ("tls_hang", "tls_timeout", "starttls_imap"),
    ("tls_alert", "tls_handshake_failed", "alert_40,starttls_imap"),
    ("tls_close", "tls_handshake_failed", "fin,starttls_imap"),
    ("tls_reset", "tls_handshake_failed", "rst,starttls_imap"),
    ("plain_answer", "protocol_mismatch", "not_tls,starttls_imap"),
])
def test_handshakes_that_fail_after_it(peer, error_class, detail, pki, tmp_path):
    def serve(socket_, stop):
        dialogue("imap", end="go on")(socket_, stop)
        hostile.RAW_TLS[peer](socket_, stop)

    with hostile.serving(serve) as (_, port):
        result = ask(port, "imap", pki, tmp_path, timeout="600ms" if "timeout" in error_class else "2s")
    assert found(result) == (error_class, detail), result
    assert set(result["timings"]) == {"connect", "response_headers", "total"}
    assert result["second_look"] is None


def test_a_port_that_begins_with_tls(pki, tmp_path):
    def serve(peer, stop):
        hostile.tls_server(pki / "good.pem", pki / "good.key")(peer, stop)

    with hostile.serving(serve) as (_, port):
        result = ask(port, "smtp", pki, tmp_path)
    assert found(result) == ("response_timeout", "starttls_smtp,greeting"), result
    assert result["second_look"] == "the port speaks TLS at once: leave tcp.starttls out"


def test_the_dialogue_in_the_transcript(pki, tmp_path):
    context = hostile.tls_context(pki / "good.pem", pki / "good.key")
    with hostile.serving(dialogue("smtp", context)) as (_, port):
        (tmp_path / "a.toml").write_text(
            f'[[upstream]]\nname = "lab"\ntargets = ["tls://127.0.0.1:{port}"]\n[upstream.tls]\n'
            f'ca_file = "{pki}/ca.pem"\n[upstream.tcp]\nstarttls = "smtp"\n')
        done = subprocess.run([agent.binary(), "probe", "-v", "lab", f"--config.file={tmp_path}/a.toml"],
                              capture_output=True, text=True, check=False, timeout=30)
    for line in ("> EHLO upstream-agent.invalid", "> STARTTLS", "220 go", "SSL connection using TLSv1.3"):
        assert line in done.stdout, done.stdout


def check(folder, text):
    config = folder / "check.toml"
    config.write_text(text)
    done = subprocess.run([agent.binary(), "check", f"--config.file={config}"], capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stderr.replace(str(config), "a")


def test_where_the_option_belongs(tmp_path):
    head = '[[upstream]]\nname = "a"\ntargets = ["{}"]\n[upstream.tcp]\n'
    assert check(tmp_path, head.format("tls://a:25") + 'starttls = "smtp"\n')[0] == 0
    for target, option, said in [
            ("tcp://a:25", 'starttls = "smtp"',
             "a:3:12: upstream.targets: 'tcp://a:25': tcp.starttls leads to TLS: write tls://a:25\n"),
            ("tcp+unix:///a", 'starttls = "smtp"',
             "a:3:12: upstream.targets: 'tcp+unix:///a': tcp.starttls leads to TLS, which is not spoken "
             "over a Unix socket\n"),
            ("tls://a:25", 'exchange = [{ send = "a" }]',
             "a:3:12: upstream.targets: 'tls://a:25': tcp.exchange is for tcp:// targets; what leads to TLS "
             "is tcp.starttls\n"),
            ("tls://a:25", 'starttls = "smpt"',
             "a:5:12: upstream.tcp.starttls: 'smpt' is not one of smtp, imap, pop3, ftp, postgres, mysql\n")]:
        assert check(tmp_path, head.format(target) + option + "\n") == (78, said)
