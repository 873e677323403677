# SPDX-License-Identifier: Apache-2.0
"""A file system on which every access waits for ever, as on an NFS whose server died."""
import contextlib
import ctypes
import os
import pathlib
import time

import pytest

LAZY = 2  # MNT_DETACH


@contextlib.contextmanager
def directory(path: pathlib.Path):
    """Mounts a FUSE file system whose requests nobody answers; what waits there can be killed."""
    path.mkdir(exist_ok=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        pytest.skip("there is no FUSE here")
    libc = ctypes.CDLL(None)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    try:
        if libc.mount(b"hanging", bytes(path), b"fuse.hanging", 0, options) != 0:
            pytest.skip("file systems cannot be mounted here")
        try:
            yield path
        finally:
            libc.umount2(bytes(path), LAZY)
    finally:
        os.close(device)  # ends all that wait


def environment():
    """For a process that waits there: the leak check would stop all its threads, and waits too."""
    return {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


def wait_for(process):
    """Until a thread of the process waits on such a file system."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert process.poll() is None, "the process ended"
        for waits_in in pathlib.Path(f"/proc/{process.pid}/task").glob("*/wchan"):
            with contextlib.suppress(OSError):
                if "fuse" in waits_in.read_text():
                    return
        time.sleep(0.05)
    raise AssertionError("nothing waits there")
