# SPDX-License-Identifier: Apache-2.0
"""Names: what name servers say, or do not."""
from tests.lab.faults.fault import Stage, fault
from tests.lab.network import dns_namespace

ANSWERS = [
    ("dns_not_found", "the name server says NXDOMAIN", "nx"),
    ("dns_not_found", "the name has no address record", "nodata"),
    ("dns_failed", "the name server says SERVFAIL", "servfail"),
    ("dns_failed", "the name server says REFUSED", "refused"),
    ("dns_failed", "the name server says NOTIMP", "notimp"),
    ("dns_failed", "the name server says FORMERR", "formerr"),
    ("dns_failed", "the name server says NOTAUTH", "notauth"),
    ("dns_failed", "the name server fails for one of two families", "half"),
    ("dns_failed", "the name server answers with garbage", "garbage"),
    ("dns_failed", "the name server's record is cut off", "broken"),
    ("dns_timeout", "the name server says nothing", "silent"),
    ("dns_timeout", "answers come with another question's id", "stray-id"),
    ("dns_timeout", "answers come from another address", "stray-peer"),
]


def _asked(error_class, name, label):
    @fault(error_class, name)
    def stand(site):
        with dns_namespace() as inside:
            yield Stage(f"http://{label}.test/", prefix=tuple(inside), timeout=2)


for _row in ANSWERS:
    _asked(*_row)


@fault("dns_failed", "the name server's port is closed")
def port_is_closed(site):
    with dns_namespace(servers=()) as inside:
        yield Stage("http://ok.test/", prefix=tuple(inside), timeout=2)
