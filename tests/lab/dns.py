# SPDX-License-Identifier: Apache-2.0
"""A DNS server whose answer depends on the first label of the name asked for. Run: dns.py ADDRESS [RCODE]

ok: 127.0.0.1 (TTL 60) for A, nothing for AAAA; nx: NXDOMAIN; nodata: nothing; servfail, refused,
notimp, formerr, notauth: that RCODE; half: SERVFAIL for A, nothing for AAAA; silent: no answer;
only-a, only-aaaa, only-nx: 127.0.0.1 for A, ::1 for AAAA, NXDOMAIN for A, the other family silent;
late: both, AAAA from the sixth question on;
garbage, noise, header, echo: no reply, but something with the question's id: 7 bytes, 64 bytes, a
header alone, the question itself; stray-id, stray-peer: the same with another id or from another
address; broken: a reply whose record is cut off; four: below a.test an A record, below b.test an AAAA
record. With a second argument every answer is that RCODE.
"""
import socket
import struct
import sys

RCODES = {"nx": 3, "servfail": 2, "refused": 5, "notimp": 4, "formerr": 1, "nodata": 0, "notauth": 9,
          "broken": 0}
A, AAAA = 1, 28
SILENT = {"only-a": AAAA, "only-aaaa": A, "only-nx": AAAA}
late = []
LOOPBACK = {A: bytes([127, 0, 0, 1]), AAAA: bytes(15) + b"\1"}


def no_reply(name, query):
    """What is not one, or None."""
    return {
        "garbage": query[:2] + b"\xff" * 7,
        "noise": query[:2] + b"\xff" * 64,
        "stray-peer": query[:2] + b"\xff" * 64,
        "stray-id": bytes([query[0] ^ 1]) + query[1:2] + b"\xff" * 64,
        "header": query[:2] + struct.pack("!HHHHH", 0x8180, 0, 0, 0, 0),
        "echo": query,
    }.get(name)


def record(kind):
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(LOOPBACK[kind])) + LOOPBACK[kind]


def answer(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12 : at + 5]
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    name = labels[0] if labels else "root"
    if len(sys.argv) > 2:
        name = sys.argv[2]
    if name == "late":
        late.append(kind)
        if kind == AAAA and late.count(AAAA) < 6:
            return None
    if name == "silent" or SILENT.get(name) == kind:
        return None
    bad = no_reply(name, query)
    if bad:
        return bad
    rcode, records = RCODES.get(name, 3), b""
    has = {"ok": A, "only-a": A, "only-aaaa": AAAA}.get(name)
    if labels[:2] in (["four", "a"], ["four", "b"]):
        has = A if labels[1] == "a" else AAAA
    if name == "late":
        has = kind
    if has:
        rcode, records = 0, record(kind) if kind == has else b""
    if name == "broken":
        records = record(kind)[:-2]
    if name == "half":
        rcode = 2 if kind == A else 0
    header = query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, 1 if records else 0, 0, 0)
    return header + question + records


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        server.bind((sys.argv[1], 53))
        while True:
            query, peer = server.recvfrom(4096)
            reply = answer(query)
            sender = other if b"stray-peer" in query else server
            if reply:
                sender.sendto(reply, peer)


if __name__ == "__main__":
    main()
