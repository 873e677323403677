# SPDX-License-Identifier: Apache-2.0
"""The lab's faults cover the classes, and the page about them is theirs."""
from tests.lab.faults import ELSEWHERE, FAULTS, table

NOT_PROBED_YET = {"grpc_not_serving", "grpc_error"}


def test_the_page_is_not_stale():
    assert table.PAGE.read_text() == table.page(), "run: python3 -m tests.lab.faults.table"


def test_every_class_that_a_probe_can_see_has_two_faults():
    names = {name for name, _ in table.classes()}
    assert {fault.error_class for fault in FAULTS} <= names
    for name in sorted(names - table.LOGS_ONLY - table.NO_FAULT - NOT_PROBED_YET):
        assert len(table.faults_of(name)) >= 2, name
    for name in table.LOGS_ONLY | table.NO_FAULT | NOT_PROBED_YET:
        assert not table.faults_of(name), name


def test_a_fault_that_is_shown_elsewhere_is_asserted_there():
    for error_class, name, test in ELSEWHERE:
        file, function = test.split("::")
        text = (table.ROOT / "tests/e2e" / file).read_text()
        start = text.index(f"def {function}(")
        body = text[start:text.find("\ndef ", start + 1)]
        assert error_class in body or error_class.removeprefix("local_") in body, (name, test)
