# SPDX-License-Identifier: Apache-2.0
"""What keeps a port that begins in plain text from TLS."""
from tests.lab import hostile
from tests.lab.faults.fault import CONNECTED, Stage, elsewhere, fault


def _says(error_class, name, word, *replies):
    def serve(peer, stop):
        for i, reply in enumerate(replies):
            if i > 0:
                peer.recv(4096)
            peer.sendall(reply)
        stop.wait(30)

    @fault(error_class, name, CONNECTED, "tls")
    def stand(site):
        with hostile.serving(serve) as (host, port):
            yield Stage(f"tls://{host}:{port}", f'[upstream.tcp]\nstarttls = "{word}"\n')


GREETED, OFFERED = b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n"

for _row in [
    ("protocol_mismatch", "a mail server offers no STARTTLS", "smtp", GREETED, b"250 mx\r\n"),
    ("protocol_mismatch", "a database has no TLS", "postgres", b"N"),
    ("protocol_mismatch", "bytes are injected after the reply to STARTTLS", "smtp", GREETED, OFFERED,
     b"220 go\r\n250 injected\r\n"),
    ("tls_handshake_failed", "a mail server offers STARTTLS and refuses it", "smtp", GREETED, OFFERED,
     b"454 TLS not available\r\n"),
    ("rate_limited", "a mail server has too many connections from here", "smtp",
     b"421 4.7.0 Error: too many connections from 192.0.2.1\r\n"),
    ("pool_exhausted", "a mail server is busy", "smtp", b"421 4.3.2 All server ports are busy\r\n"),
    ("content_mismatch", "a mail server turns this host away", "smtp", b"554 5.7.1 not you\r\n"),
    ("invalid_response", "a greeting does not end", "smtp", b"220-x\r\n" * 3000),
    ("response_timeout", "a mail server does not greet", "smtp", b""),
]:
    _says(*_row)

elsewhere("pool_exhausted", "a database has all its connections in use (`tls`, MariaDB)",
          "test_starttls.py::test_a_real_server_without_a_free_connection")
elsewhere("pool_exhausted", "a file server has as many clients as it may (`tls`, vsftpd)",
          "test_starttls.py::test_a_real_server_with_too_many_clients")
