# SPDX-License-Identifier: Apache-2.0
"""How a fault is written down."""
import contextlib
import dataclasses
import pathlib
import typing

FAULTS = []
ELSEWHERE = []  # (class, name, "file::test"): what one probe alone cannot show


@dataclasses.dataclass(frozen=True)
class Site:
    """Where a fault may put its files; `certificates` are those of certs.make()."""
    folder: pathlib.Path
    certificates: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Stage:
    """What to probe while the fault stands."""
    url: str
    tables: str = ""  # of options, after the upstream's own keys
    keys: str = ""  # of the upstream
    prefix: tuple = ()  # before the command
    timeout: float = 1.0  # seconds


@dataclasses.dataclass(frozen=True)
class Fault:
    error_class: str
    name: str  # in words, for the documentation
    timed: frozenset  # the phases that ended and have a time, besides the total
    scheme: str
    stand: typing.Callable[[Site], typing.ContextManager[Stage]]


CONNECTED = "connect"
ASKED = "connect request"
ANSWERED = "connect request response_headers"
READ = "connect request response_headers response_body"


def fault(error_class, name, timed="", scheme="http"):
    """Puts a generator that yields one Stage among the faults."""
    def add(stand):
        assert name not in {known.name for known in FAULTS}, name
        FAULTS.append(Fault(error_class, name, frozenset(timed.split()), scheme,
                            contextlib.contextmanager(stand)))
        return stand

    return add


def elsewhere(error_class, name, test):
    ELSEWHERE.append((error_class, name, test))
