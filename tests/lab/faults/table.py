# SPDX-License-Identifier: Apache-2.0
"""Makes packaging/doc/faults.md. Run from the repository's root: python3 -m tests.lab.faults.table"""
import pathlib
import re

from tests.lab.faults import ELSEWHERE, FAULTS

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "packaging/doc/faults.md"

LOGS_ONLY = {"no_live_upstream", "worker_crashed", "worker_timeout"}
NO_FAULT = {"unknown"}  # what the agent has no name for

ALIKE = [
    ("a firewall drops the packets; the host is off; its address is wrong", "`connect_timeout`",
     "silence looks the same, whoever is silent. Where a gateway or a neighbour says so by ICMP, it is "
     "`unreachable`."),
    ("the accept queue of another host is full", "`connect_timeout`",
     "the kernel drops the connection without a word. On this host the queue itself is looked at: "
     "`listen_queue_full`."),
    ("nothing listens; a firewall of another host rejects with a reset", "`connect_refused`",
     "the packet is the same. On this host the list of listeners tells them apart: "
     "`connect_firewall_rejected`."),
    ("the name server is down; its answers are lost; a firewall drops them", "`dns_timeout`",
     "nothing comes back. A closed port is told by ICMP: `dns_failed`."),
    ("the application hangs; its answer is lost on the way", "`response_timeout`",
     "the kernel of the other host has acknowledged the request, and that is all that is known. A request "
     "that is not acknowledged is `request_unacked`."),
    ("the application crashes; it closes an idle connection; it refuses a request without a word",
     "`closed_before_headers` or `reset_before_headers`",
     "the connection ends before a byte of an answer. Probes make a new connection each, so that an idle "
     "one is not behind a probe's failure."),
    ("the application crashes amid its answer; a proxy before it runs out of space or time",
     "`body_truncated`", "the answer ends early, and does not say why."),
    ("a server of TLS 1.3 refuses the certificate without an alert; it crashes after asking for one",
     "`closed_before_headers`", "the end of the connection is all that is seen; the detail says "
     "`cert_requested`."),
    ("an HTTP/2 answer without a length is complete; its stream is reset and the connection closed at the "
     "same moment", "no error",
     "libcurl 7.88 reads the end of the connection and forgets the reset. With a Content-Length the "
     "difference shows (`body_truncated`), and so it does with `expect_body`."),
    ("the certificate has expired; this host's clock is wrong", "`tls_cert_expired`",
     "dates are compared with this host's clock; what the certificate says is in the message."),
]


def classes():
    """Names in the order of their codes."""
    text = (ROOT / "collectors/core/error_class.cpp").read_text()
    names = re.findall(r'^    \{(\w+), "\1", Phase::(\w+)', text, re.M)
    assert len(names) == 41, len(names)
    return names


def faults_of(error_class):
    """(name, test) of each fault."""
    probed = [(f"{fault.name} (`{fault.scheme}`)", "test_faults.py") for fault in FAULTS
              if fault.error_class == error_class]
    return probed + [(name, test) for known, name, test in ELSEWHERE if known == error_class]


def row(error_class, phase):
    if error_class in LOGS_ONLY:
        return [f"| `{error_class}` | {phase} | no probe can see it: from logs only | |"]
    if error_class in NO_FAULT:
        return [f"| `{error_class}` | {phase} | what fits no other class; no fault is known to end here | |"]
    rows = []
    for name, test in faults_of(error_class):
        first = not rows
        rows.append(f"| {f'`{error_class}`' if first else ''} | {phase if first else ''} | {name} | `{test}` |")
    return rows


def page():
    lines = [
        "# Faults and their classes",
        "",
        "Each of these faults is brought about by the lab in `tests/lab`, with real sockets, firewalls and",
        "servers, and probed; the class, its phase, which phases have a time, and that the result comes at most",
        "250 ms after the time-out are asserted. `test_faults.py` has one test a fault, under its name. This page",
        "is made by `python3 -m tests.lab.faults.table`; `tests/rules` fails while it is stale.",
        "",
        "| class | phase | fault | test in `tests/e2e` |",
        "|---|---|---|---|",
    ]
    for error_class, phase in classes():
        lines += row(error_class, phase)
    lines += [
        "",
        "## What cannot be told apart",
        "",
        "| these | are all | because |",
        "|---|---|---|",
    ]
    lines += [f"| {faults} | {shown} | {reason} |" for faults, shown, reason in ALIKE]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
