# SPDX-License-Identifier: Apache-2.0
"""A name server that is probed, over UDP and TCP on one port; the question's first label says what it does.

ok: two A records; empty: none; alias: a CNAME; rcode-N: that response code; oldrcode: FORMERR without a
question, edns-16: BADVERS. id, question: to another id, or question, and nothing else; late: the same before the
right answer; peer: the right answer from another port; query, header: the question itself, a header alone;
silent; loop, ahead, cut, long, opcode: a name that points to itself, one that points ahead, a record that is
cut off, one longer than the message, another kind of reply. tc: truncated over UDP, whole over TCP; tc-always;
tc-closed: truncated, then nobody takes TCP's question. TCP alone: fin, rst, half, half-hang, http, short.
"""
import contextlib
import socket
import struct
import threading
import time

from tests.lab import hostile

CLOSE, RESET, HANG = "close", "reset", "hang"


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _record(data, kind=1, owner=b"\xc0\x0c"):
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def _reply(query, question, rcode=0, records=(), flags=0x8180, questions=1, more=b"", additional=0):
    head = query[:2] + struct.pack("!HHHHH", flags | rcode, questions, len(records), 0, additional)
    return head + question + b"".join(records) + more


def _broken(query, question):
    short = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + b"\x7f"
    own = bytes([0xC0, 12 + len(question)])
    return {
        "loop": _reply(query, question, records=[_record(b"\x7f\0\0\1", owner=own)]),
        "ahead": _reply(query, question, records=[_record(b"\x7f\0\0\1", owner=b"\xc0\xff")]),
        "cut": _reply(query, question, records=[short]),
        "long": _reply(query, question, records=[_record(b"\x7f\0\0\1", kind=1)[:-5] + b"\xff\x7f\0\0\1"]),
        "opcode": _reply(query, question, flags=0xA180),
        "header": query[:2] + struct.pack("!HHHHH", 0x8180, 0, 0, 0, 0),
        "query": query,
    }


def answers(query, over_tcp):
    """Messages to send, and how it ends (TCP)."""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1: at + 1 + query[at]].decode())
        at += 1 + query[at]
    question, label = query[12:at + 5], labels[0] if labels else "root"
    good = _reply(query, question, records=[_record(b"\x7f\0\0\1"), _record(b"\x7f\0\0\2")])
    stray_id = bytes([query[0] ^ 1]) + good[1:]
    stray_question = _reply(query, _name("other.test") + question[-4:])
    if label in ("fin", "rst", "silent"):
        return [], {"fin": CLOSE, "rst": RESET, "silent": HANG}[label]
    if label.startswith("rcode-"):
        return [_reply(query, question, int(label[6:]))], CLOSE
    if label.startswith("tc") and (label == "tc-always" or not over_tcp):
        return [_reply(query, question, flags=0x8380)], CLOSE
    made = {
        "empty": [_reply(query, question)],
        "alias": [_reply(query, question, records=[_record(_name("real.test"), 5)])],
        "oldrcode": [_reply(query, b"", 1, questions=0)],
        "edns-16": [_reply(query, question, more=b"\0" + struct.pack("!HHIH", 41, 1232, 1 << 24, 0), additional=1)],
        "id": [stray_id], "question": [stray_question], "late": [stray_id, stray_question, good],
    }
    if label in made:
        return made[label], CLOSE
    broken = _broken(query, question)
    return [broken[label]] if label in broken else [good], CLOSE


class NameServer:
    def __init__(self, udp, tcp):
        self.udp, self.tcp, self.stop = udp, tcp, threading.Event()
        self.port = udp.getsockname()[1]
        self.asked = []  # (transport, the query's bytes)

    def url(self, label, more=""):
        return f"dns://127.0.0.1:{self.port}/{label}.test{more}"

    def serve_udp(self):
        while not self.stop.is_set():
            try:
                query, peer = self.udp.recvfrom(4096)
            except TimeoutError:
                continue
            self.asked.append(("udp", query))
            if b"\4peer" in query:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.sendto(answers(query, False)[0][0], peer)
                continue
            if b"\x09tc-closed" in query:
                self.tcp.close()
            for message in answers(query, False)[0]:
                self.udp.sendto(message, peer)

    def serve_tcp(self):
        while not self.stop.is_set():
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            with peer:
                self.speak(peer)

    def speak(self, peer):
        size = peer.recv(2)
        if len(size) < 2:
            return
        query = peer.recv(struct.unpack("!H", size)[0])
        self.asked.append(("tcp", query))
        messages, end = answers(query, True)
        out = b"".join(struct.pack("!H", len(m)) + m for m in messages)
        label = query[13:13 + query[12]].decode()
        if label == "http":
            out = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        elif label == "short":
            out = b"\0\3" + out[2:5]
        elif label in ("half", "half-hang"):
            out, end = out[:-9], HANG if label == "half-hang" else CLOSE
        elif label == "half-rst":
            out, end = out[:-9], RESET
        for part in (out[:3], out[3:]):  # in two pieces
            if part:
                peer.sendall(part)
                time.sleep(0.02)
        if end == RESET:
            time.sleep(0.05)
            hostile.reset(peer)
        elif end == HANG:
            self.stop.wait(10)


@contextlib.contextmanager
def serve():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        tcp.listen()
        udp.settimeout(0.2)
        server = NameServer(udp, tcp)
        threads = [threading.Thread(target=run) for run in (server.serve_udp, server.serve_tcp)]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            with contextlib.suppress(OSError):
                tcp.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)
