// SPDX-License-Identifier: Apache-2.0
// nginx's configuration, and the upstreams that are found in it.
#include <algorithm>
#include <set>
#include <vector>

#include "agent/config/discovered.h"
#include "collectors/discovery/nginx_config.h"
#include "collectors/discovery/nginx_upstreams.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

struct Size {
  std::size_t directives = 0;
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

Size measure(const std::vector<NginxDirective>& directives, unsigned lines, std::size_t depth = 1) {
  Size result{directives.size(), 0, depth};
  for (const NginxDirective& one : directives) {
    expect(one.line >= 1 && one.line <= lines, "a directive stands in the file");
    result.bytes += one.name.size();
    for (const std::string& argument : one.arguments) result.bytes += argument.size();
    if (one.block.empty()) continue;
    const Size inner = measure(one.block, lines, depth + 1);
    result.directives += inner.directives;
    result.bytes += inner.bytes;
    result.depth = std::max(result.depth, inner.depth);
  }
  return result;
}

void check_notes(const std::vector<std::string>& notes) {
  expect(notes.size() <= 1000, "notes are bounded");
  for (const std::string& note : notes) {
    expect(note.starts_with("nginx.conf:"), "a note says where");
    expect(is_printable_line(note), "a note is printable");
    expect(note.size() < 2000, "a note is short");
  }
}

/// The Host header that nginx's configuration asks for.
void check_header(std::string_view value) {
  expect(value.size() <= 300, "a Host header is short");
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]*";
  expect(value.find_first_not_of(kPlain) == std::string_view::npos, "a Host header is a host");
}

}  // namespace

void nginx(std::string_view bytes) {
  const NginxConfig config = parse_nginx(bytes, "nginx.conf");
  const auto lines = static_cast<unsigned>(std::count(bytes.begin(), bytes.end(), '\n') + 1);
  const Size size = measure(config.directives, lines);
  expect(size.bytes <= bytes.size(), "words come from the file");
  expect(size.directives <= bytes.size(), "a directive takes a byte");
  expect(size.depth <= 66, "blocks are nested as deep as is read");
  const NginxUpstreams found = nginx_upstreams(config);
  check_notes(found.notes);
  for (const DiscoveredUpstream& one : found.upstreams) {
    check_header(one.host);
    expect(!one.targets.empty(), "an upstream has a target");
    for (const DiscoveredTarget& target : one.targets) {
      expect(target.origin.starts_with("nginx.conf:"), "a target says where it was found");
    }
  }
  const Discovered discovered = probed_upstreams(found, Config());
  check_notes(discovered.notes);
  std::set<std::string> names;
  for (const UpstreamConfig& upstream : discovered.upstreams) {
    check_upstream(upstream, 1400);
    expect(names.insert(upstream.name).second, "an upstream has a name of its own");
  }
}

}  // namespace ua::fuzz
