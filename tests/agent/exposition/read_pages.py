# SPDX-License-Identifier: Apache-2.0
"""Reads pages with prometheus_client's parsers and says for each how many samples it holds.

usage: read_pages.py FILE...   a name that ends in .om is OpenMetrics, any other text format 0.0.4
"""
import sys

try:
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as openmetrics_parser
except ImportError:
    print("no prometheus_client")
    sys.exit(0)

for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as page:
        text = page.read()
    read = (openmetrics_parser if path.endswith(".om") else parser).text_string_to_metric_families
    families = list(read(text))
    samples = [s for family in families for s in family.samples]
    names = [(s.name, tuple(sorted(s.labels.items()))) for s in samples]
    if len(set(names)) != len(names):
        sys.exit(f"{path}: a series is there twice")
    print(path.rsplit("/", 1)[-1], len(samples))
