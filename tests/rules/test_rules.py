# SPDX-License-Identifier: Apache-2.0
"""The house rules that a compiler does not see."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
]
SOURCES = [p for p in TRACKED if p.suffix in (".h", ".cpp")]
PRODUCT = [p for p in SOURCES if p.relative_to(ROOT).parts[0] in ("agent", "collectors")]


def code_of(path):
    """The text without comments and string literals."""
    text = path.read_text()
    return re.sub(r'//[^\n]*|"(?:\\.|[^"\\\n])*"', "", text)


def included(path):
    return re.findall(r'#include "([^"]+)"', path.read_text())


def test_layers_point_one_way():
    wrong = []
    for path in PRODUCT:
        parts = path.relative_to(ROOT).parts
        for include in included(path):
            to = include.split("/")
            if parts[0] == "collectors":
                allowed = to[0] == "collectors" and to[1] in ("core", parts[1])
            else:
                allowed = to[0] in ("agent", "collectors")
            if not allowed:
                wrong.append(f"{path.relative_to(ROOT)} includes {include}")
    assert wrong == []


BANNED = {
    r"(steady_clock|system_clock|high_resolution_clock)::now": {"collectors/core/epoll_loop.cpp"},
    r"\b(sleep_for|sleep_until|usleep|nanosleep)\b": set(),
    # ares_getaddrinfo is another word; this one runs on the resolver's worker.
    r"\bgetaddrinfo\s*\(": {"collectors/probes/names/nss.cpp"},
    r"std::regex": set(),
    r"(?<![\w.>:])(system|popen|fork|vfork|strcpy|sprintf|strtok|localtime|rand)\s*\(": set(),
}


def test_banned_calls_stay_in_their_one_place():
    wrong = []
    for path in PRODUCT:
        name = str(path.relative_to(ROOT))
        for pattern, places in BANNED.items():
            if name not in places and re.search(pattern, code_of(path)):
                wrong.append(f"{name}: {pattern}")
    assert wrong == []


def test_only_the_metrics_folder_names_series():
    series = re.compile(r'"(upstream_(probe|agent|up\b|info)|host_|process_)\w*"')
    wrong = []
    for path in PRODUCT:
        if path.relative_to(ROOT).parts[:2] == ("agent", "metrics"):
            continue
        if series.search(path.read_text()):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_every_file_says_its_licence():
    wrong = []
    for path in TRACKED:
        if path.name in ("LICENSE", ".gitignore") or path.suffix in (".json", ".md"):
            continue
        if path.relative_to(ROOT).parts[:2] == ("tests", "fixtures"):
            continue  # copies of formats that know no comment
        if path.relative_to(ROOT).parts[:3] == ("tests", "fuzz", "seeds"):
            continue  # bytes as they are to be read
        head = path.read_text().splitlines()[:3]
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_top_level_folders():
    folders = {p.relative_to(ROOT).parts[0] for p in TRACKED if len(p.relative_to(ROOT).parts) > 1}
    assert folders <= {"agent", "collectors", "dashboards", "tests", "packaging", ".ci"}


def test_every_fuzz_target_is_declared_and_replayed_on_seeds_of_its_own():
    fuzz = ROOT / "tests" / "fuzz"
    targets = sorted(p.name.removesuffix("_fuzz.cpp") for p in fuzz.glob("*_fuzz.cpp"))
    assert len(targets) >= 21
    header = (fuzz / "fuzz.h").read_text()
    assert sorted(re.findall(r"^void (\w+)\(std::string_view bytes\);", header, re.M)) == targets
    replay = (fuzz / "replay.cpp").read_text()
    assert sorted(re.findall(r'\breplay\("(\w+)", \w+', replay)) == targets
    for name in targets:
        assert any((fuzz / "seeds" / name).iterdir()), name
        assert (fuzz / "dictionaries" / f"{name}.dict").exists(), name


def test_every_probe_type_has_a_test_and_a_row_in_the_documentation():
    table = (ROOT / "collectors/probes/probe_types.cpp").read_text()
    names = re.findall(r'^\s+\{"(\w+)", k', table, re.M)
    assert names, "no probe types found: has the table moved?"
    documentation = (ROOT / "README.md").read_text()
    tests = "".join(p.read_text() for p in (ROOT / "tests").rglob("test_*.py"))
    for name in names:
        assert f"`{name}`" in documentation, name
        assert f"{name}://" in tests, name
