# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 servers that answer a request with frames of their own (RFC 9113 sections 4 and 6)."""
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS = 1, 4
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM = 0, 1, 2, 7
ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 11, 13
STATUS_200 = b"\x88"  # of the static table


def frame(kind, payload=b"", flags=0, stream=0):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def rst_stream(code, stream=1):
    return frame(RST_STREAM, struct.pack(">I", code), stream=stream)


def goaway(last, code):
    return frame(GOAWAY, struct.pack(">II", last, code))


def answering(frames, requests, then=None):
    """A scenario: settings, then `frames` once the request's header is there, then the end."""

    def serve(peer, stop):
        data = b""

        def need(size):
            nonlocal data
            while len(data) < size:
                part = peer.recv(4096)
                if not part:
                    raise OSError("closed")
                data += part

        need(len(PREFACE))
        assert data.startswith(PREFACE), data
        data = data[len(PREFACE):]
        peer.sendall(frame(SETTINGS))
        while True:
            need(9)
            length, kind = int.from_bytes(data[:3], "big"), data[3]
            need(9 + length)
            data = data[9 + length:]
            if kind == HEADERS:
                break
        requests.append(kind)
        peer.sendall(frames)
        if then:
            then(peer, stop)
        else:
            peer.settimeout(0.3)  # what is unread would turn the FIN into a RST
            try:
                while peer.recv(4096):
                    pass
            except OSError:
                pass

    return serve
