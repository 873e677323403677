# SPDX-License-Identifier: Apache-2.0
"""A DNS server whose answer depends on the first label of the name asked for. Run: dns.py ADDRESS [RCODE]

ok: 127.0.0.1 (TTL 60) for A, nothing for AAAA; nx: NXDOMAIN; nodata: nothing; servfail, refused,
notimp, formerr: that RCODE; half: SERVFAIL for A, nothing for AAAA; silent: no answer; garbage: noise;
four: below a.test an A record, below b.test an AAAA record. With a second argument every answer is
that RCODE.
"""
import socket
import struct
import sys

RCODES = {"nx": 3, "servfail": 2, "refused": 5, "notimp": 4, "formerr": 1, "nodata": 0}


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
    if name == "silent":
        return None
    if name == "garbage":
        return query[:2] + b"\xff" * 7
    rcode, records = RCODES.get(name, 3), b""
    if name == "ok":
        rcode = 0
        if kind == 1:
            records = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
    if name == "half":
        rcode = 2 if kind == 1 else 0
    if labels[:2] == ["four", "a"] and kind == 1:
        rcode, records = 0, b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
    if labels[:2] == ["four", "a"] and kind == 28:
        rcode = 0
    if labels[:2] == ["four", "b"]:
        rcode = 0
        if kind == 28:
            records = b"\xc0\x0c" + struct.pack("!HHIH", 28, 1, 60, 16) + bytes(15) + b"\1"
    header = query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, 1 if records else 0, 0, 0)
    return header + question + records


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((sys.argv[1], 53))
        while True:
            query, peer = server.recvfrom(4096)
            reply = answer(query)
            if reply:
                server.sendto(reply, peer)


if __name__ == "__main__":
    main()
