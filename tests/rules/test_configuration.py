# SPDX-License-Identifier: Apache-2.0
"""The reference of the configuration names every key that is read, and no other."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
READERS = [
    "agent/config/config.cpp",
    "agent/config/settings.cpp",
    "agent/config/web_reader.cpp",
    "agent/config/upstream_reader.cpp",
    *(str(path.relative_to(ROOT)) for path in (ROOT / "collectors/probes").rglob("*options.cpp")),
]
READ = re.compile(
    r'(?:\w+(?:\.|->)(?:text|boolean|integer|duration|size|choice|choices|texts|integers|'
    r'text_pairs|table|tables|node)\(|take_\w+\(table, |read_secret\(\*?\w+, |read_path\(table, |'
    r'read_credentials\(\*?\w+, |read_regex\(\w+, )"(\w+)"'
)


def keys_read():
    keys = set()
    for name in READERS:
        keys |= set(READ.findall((ROOT / name).read_text()))
    # The tables that stand once are read in a loop over this list.
    settings = (ROOT / "agent/config/settings.cpp").read_text()
    keys |= set(re.findall(r'\{"(\w+)", &SettingsReader::', settings))
    return keys


def keys_documented():
    keys = set()
    for line in (ROOT / "packaging/doc/configuration.md").read_text().splitlines():
        keys |= set(re.findall(r"^#+ `\[+(?:\w+\.)?(\w+)\]", line))
        keys |= set(re.findall(r"^\| `(\w+)` \|", line))
        keys |= set(re.findall(r"(\w+) = ", line)) & {"username", "password_file"}
    return keys


def test_the_reference_names_every_key_and_no_other():
    assert len(keys_read()) > 45
    assert keys_read() == keys_documented()


def places_documented():
    """(table, key) for all keys, by the headings they stand under."""
    places = set()
    table = None
    for line in (ROOT / "packaging/doc/configuration.md").read_text().splitlines():
        if heading := re.match(r"^#+ `\[+([\w.]+)\]", line):
            table = heading[1]
            if "." in table:
                places.add(tuple(table.rsplit(".", 1)))
        elif line.startswith("For every upstream that does not say otherwise: "):
            places |= {(table, key) for key in re.findall(r"`(\w+)`", line)}
        elif key := re.match(r"^\| `(\w+)` \|", line):
            places.add((table, key[1]))
    return places


def test_a_misplaced_key_is_told_where_it_belongs():
    listed = re.findall(r'\{"([\w.]+)", "(\w+)"\}', (ROOT / "agent/config/key_places.cpp").read_text())
    assert len(listed) == len(set(listed))
    assert set(listed) == places_documented()


def test_the_example_shows_every_key():
    example = (ROOT / "packaging/agent.toml").read_text()
    shown = set(re.findall(r"^(?:#|# )?\[+(?:\w+\.)?(\w+)\]", example, re.M))
    shown |= set(re.findall(r"^(?:#|# )?(\w+) = ", example, re.M))
    shown |= set(re.findall(r"[{,] (\w+) = ", example))
    assert keys_read() - shown == set()
