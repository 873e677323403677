// SPDX-License-Identifier: Apache-2.0
// A Location header, which the upstream chooses. First line: the URL that was asked.
#include <algorithm>
#include <vector>

#include "collectors/core/text.h"
#include "collectors/probes/target.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

bool same_place(const Target& a, const Target& b) {
  return a.scheme == b.scheme && iequals(a.host, b.host) && a.port == b.port &&
         a.unix_path == b.unix_path;
}

void check_followed(const Target& base, const Target& next) {
  check_target(next);
  const bool stays = same_place(base, next);
  expect(stays || next.scheme == "http" || next.scheme == "https",
         "a redirect leads to http and https only, or stays at its socket");
  expect(next.foreign_origin == (base.foreign_origin || !stays),
         "a foreign origin is known as one");
  // "/." keeps a path that begins with "//" from naming a host (RFC 3986 section 4.2).
  const std::string place = next.is_unix() ? "/." : "//" + next.authority();
  const auto again = resolve_location(next, place + next.path);
  expect(again.has_value(), "what a redirect led to can be named");
  expect(same_place(*again, next), "the place that a redirect led to is read back");
}

void check_relative(const Target& base, const Target& next, std::string_view location) {
  const std::string_view reference = trim(location.substr(0, location.find('#')));
  if (reference.empty() || reference.find_first_of(":/?") != std::string_view::npos) return;
  expect(same_place(base, next), "a word alone stays at the origin");
  const std::string_view path = std::string_view(next.path).substr(0, next.path.find('?'));
  for (const std::string_view segment : split(path, '/')) {
    expect(segment != "." && segment != "..", "a path that was put together has no dot segments");
  }
}

}  // namespace

void redirect(std::string_view bytes) {
  Input input(bytes);
  Result<Target> base = parse_target(input.line());
  if (!base || !base->scheme.starts_with("http")) base = parse_target("https://a.example:8443/x/y");
  const std::string_view location = input.rest();
  for (const bool foreign : {false, true}) {
    base->foreign_origin = foreign;
    const Result<Target> next = resolve_location(*base, location);
    if (!next) {
      expect(is_printable_line(next.error().message), "a message is a printable line");
      continue;
    }
    check_followed(*base, *next);
    check_relative(*base, *next, location);
  }
}

}  // namespace ua::fuzz
