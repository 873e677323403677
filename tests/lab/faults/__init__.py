# SPDX-License-Identifier: Apache-2.0
"""Everything that the lab lets fail on purpose, each with the one class that is right for it.

`FAULTS` (each with a probe of its own) is what tests/e2e/test_faults.py asserts; with `ELSEWHERE` it makes
packaging/doc/faults.md.
"""
from tests.lab.faults import connect, content, dns, exchange, http2, local, starttls, tls  # noqa: F401
from tests.lab.faults.fault import ELSEWHERE, FAULTS, Fault, Site, Stage  # noqa: F401
