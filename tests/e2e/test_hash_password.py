# SPDX-License-Identifier: Apache-2.0
"""hash-password: from a pipe, and at a terminal that shows nothing."""
import ctypes
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from tests.lab import agent

HASH = re.compile(r"\$2b\$(\d\d)\$[./A-Za-z0-9]{53}\n")


def crypt(password, hash_):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password, hash_)


def hashed(stdin, *arguments):
    return subprocess.run([agent.binary(), "hash-password", *arguments], input=stdin, timeout=30,
                          capture_output=True, check=False)


@pytest.mark.parametrize("stdin", [b"secret\n", b"secret", b"secret\r\n"])
def test_one_line_of_standard_input(stdin):
    done = hashed(stdin, "--cost=5")
    assert (done.returncode, done.stderr) == (0, b"")
    assert HASH.fullmatch(done.stdout.decode())[1] == "05"
    digest = done.stdout.strip()
    assert crypt(b"secret", digest) == digest
    assert crypt(b"Secret", digest) != digest


def test_the_cost_is_10_where_none_is_given():
    assert HASH.fullmatch(hashed(b"secret\n").stdout.decode())[1] == "10"


@pytest.mark.parametrize("stdin, message", [
    (b"", "the password is empty"),
    (b"\n", "the password is empty"),
    (b"one\ntwo\n", "the password is one line, not several"),
    (b"a\0b\n", "the password holds a zero byte"),
    (b"x" * 73, "the password is longer than the 72 bytes that bcrypt takes into account"),
    (b"x" * 100_000, "the password is longer than the 72 bytes that bcrypt takes into account"),
])
def test_what_is_no_password(stdin, message):
    done = hashed(stdin, "--cost=4")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"upstream-agent hash-password: {message}\n"


def test_nothing_of_a_password_on_the_command_line_is_repeated():
    done = hashed(b"", "hunter2")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"hunter2" not in done.stderr
    assert b"every user of this machine can read command lines" in done.stderr


def test_costs_out_of_range():
    for cost in ("3", "15", "ten"):
        assert hashed(b"secret\n", f"--cost={cost}").returncode == 2


class Terminal:
    def __init__(self):
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen([agent.binary(), "hash-password", "--cost=4"], stdin=slave,
                                      stderr=slave, stdout=subprocess.PIPE)
        self.slave = slave
        self.shown = b""

    def until(self, text):
        end = time.monotonic() + 20
        while text not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 1000)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture(name="terminal")
def a_terminal():
    made = Terminal()
    yield made
    made.close()


def test_a_terminal_is_asked_twice_and_shows_nothing(terminal):
    terminal.until(b"Password: ")
    assert not terminal.echoes()
    os.write(terminal.master, b"hunter2\n")
    terminal.until(b"The same again: ")
    os.write(terminal.master, b"hunter2\n")
    digest = terminal.child.stdout.read().strip()
    assert terminal.child.wait(timeout=20) == 0
    assert crypt(b"hunter2", digest) == digest
    assert b"hunter2" not in terminal.shown
    assert terminal.echoes()


def test_two_different_passwords_make_no_hash(terminal):
    terminal.until(b"Password: ")
    os.write(terminal.master, b"hunter2\n")
    terminal.until(b"The same again: ")
    os.write(terminal.master, b"hunter3\n")
    terminal.until(b"these are two different passwords")
    assert terminal.child.wait(timeout=20) == 1
    assert terminal.child.stdout.read() == b""


def test_an_interrupt_leaves_a_terminal_that_shows_what_is_typed(terminal):
    terminal.until(b"Password: ")
    assert not terminal.echoes()
    terminal.child.send_signal(signal.SIGINT)
    assert terminal.child.wait(timeout=20) == 1
    assert terminal.echoes()
