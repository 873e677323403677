# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 connections and streams that break."""
from tests.lab import hostile, http2
from tests.lab.faults.fault import ANSWERED, ASKED, Stage, fault

PRIOR = '[upstream.http]\nversion = "2-prior"\n'
OK = http2.frame(http2.HEADERS, http2.STATUS_200, http2.END_HEADERS, 1)
LENGTH = b"\x0f\x0d\x041000"  # content-length: 1000, a literal with the name of the static table
OF_1000 = http2.frame(http2.HEADERS, http2.STATUS_200 + LENGTH, http2.END_HEADERS, 1)

for _name, _timed, _frames in [
    ("a stream is reset", ASKED, http2.rst_stream(http2.INTERNAL_ERROR)),
    ("a stream is refused", ASKED, http2.rst_stream(http2.REFUSED_STREAM)),
    ("the connection is given up (GOAWAY)", ASKED, http2.goaway(0, http2.PROTOCOL_ERROR)),
    ("the connection is given up, too many requests (GOAWAY)", ASKED,
     http2.goaway(1, http2.ENHANCE_YOUR_CALM)),
]:
    def _stand(site, frames=_frames):
        with hostile.serving(http2.answering(frames, [])) as (host, port):
            yield Stage(f"http://{host}:{port}/", PRIOR)

    fault("http2_error", _name, _timed)(_stand)


@fault("http2_error", "a stream is reset amid the body", ANSWERED)
def reset_amid_the_body(site):
    def then(peer, stop):
        stop.wait(0.1)
        peer.sendall(http2.rst_stream(http2.INTERNAL_ERROR))
        stop.wait(0.5)  # see ALIKE in table.py about an end that comes with it

    frames = OK + http2.frame(http2.DATA, b"x" * 9, 0, 1)
    with hostile.serving(http2.answering(frames, [], then)) as (host, port):
        yield Stage(f"http://{host}:{port}/", PRIOR)


@fault("body_truncated", "an HTTP/2 body is shorter than said, and the connection ends", ANSWERED)
def shorter_than_said(site):
    frames = OF_1000 + http2.frame(http2.DATA, b"x" * 9, 0, 1)
    with hostile.serving(http2.answering(frames, [])) as (host, port):
        yield Stage(f"http://{host}:{port}/", PRIOR)
