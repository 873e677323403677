# SPDX-License-Identifier: Apache-2.0
"""What the documentation shows is there: endpoints, queries, links."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = ROOT / "packaging/doc"


def test_every_endpoint_is_documented_and_no_other():
    routes = re.findall(r'\{+"(/[^"]*)", Page::', (ROOT / "agent/web/router.cpp").read_text())
    assert len(routes) >= 5
    documented = re.findall(r"^\| `(/[^`]*)` \|", (DOC / "endpoints.md").read_text(), re.M)
    assert sorted(documented) == sorted(routes)


def queries():
    text = (DOC / "metrics.md").read_text()
    found = re.findall(r"^\| [^|`]+ \| `([^`]+)` \|$", text.split("## Queries")[1], re.M)
    assert len(found) >= 8
    return found


def test_every_series_named_in_the_source_is_documented():
    named = set()
    for path in (ROOT / "agent/metrics").glob("*.*"):
        named |= set(re.findall(r'"((?:upstream|host|process)_\w+)"', path.read_text()))
    assert len(named) > 60
    text = (DOC / "metrics.md").read_text()
    assert [name for name in sorted(named) if f"| `{name}` |" not in text] == []


def test_the_queries_name_series_that_exist():
    text = (DOC / "metrics.md").read_text()
    series = set(re.findall(r"^\| `(\w+)` \| (?:gauge|counter|histogram) \|", text, re.M))
    assert len(series) > 50
    for query in queries():
        for name in re.findall(r"\b(?:upstream|host|process)_\w+", query):
            if name != "upstream":
                assert re.sub("_bucket$", "", name) in series, query


def test_the_queries_are_valid(tmp_path):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    rules = tmp_path / "rules.yml"
    lines = ["groups:", "  - name: documentation", "    rules:"]
    for number, query in enumerate(queries()):
        lines += [f"      - record: documentation:query{number}", "        expr: >-", f"          {query}"]
    rules.write_text("\n".join(lines) + "\n")
    checked = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_links_between_documents_lead_somewhere():
    broken = []
    pages = [*ROOT.glob("*.md"), *DOC.glob("*.md"), *(ROOT / "packaging").glob("*.md")]
    assert len(pages) > 7
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not link.startswith("http") and not (page.parent / link).exists():
                broken.append(f"{page.name}: {link}")
    assert broken == []
