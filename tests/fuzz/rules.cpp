// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/rules.h"

#include <algorithm>
#include <set>

#include "collectors/core/error_class.h"
#include "collectors/core/text.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/probe_types.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

constexpr std::string_view kHostCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

/// Neither a request's line nor a Host header can be made to hold more than one thing.
void check_no_separators(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    expect(byte > 0x20 && byte != 0x7f, "no spaces and no control characters");
  }
}

void check_host(const Target& target) {
  expect(target.port != 0, "a network target has a port");
  expect(!target.host.empty() && target.host.size() <= 253, "a host has 1 to 253 characters");
  const auto literal = ip_endpoint(target.host, target.port);
  const std::string_view more = literal && literal->family() == AF_INET6 ? ":%" : "";
  for (const char c : target.host) {
    expect(kHostCharacters.find(c) != std::string_view::npos || more.find(c) != std::string::npos,
           "a host has letters, digits, '.', '-' and '_' only");
  }
  expect(target.host[0] != '-', "a host is no option");
}

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_dotted_quad(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return consists_of(part, "0123456789") && part.size() <= 3 &&
                  std::stoi(std::string(part)) < 256;
         });
}

}  // namespace

bool needs_no_dns(std::string_view host) {
  const std::size_t close = host.starts_with('[') ? host.find(']') : 0;
  const std::size_t colon = host.find(':', close);
  const std::string_view name = host.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? "" : host.substr(colon + 1);
  if (!port.empty() && !consists_of(port, "0123456789")) return false;
  if (!name.starts_with('[')) return iequals(name, "localhost") || is_dotted_quad(name);
  return name.size() >= 4 && name.back() == ']' &&
         consists_of(name.substr(1, name.size() - 2), "0123456789abcdefABCDEF:.") &&
         name.find(':') != std::string_view::npos;
}

void check_target(const Target& target) {
  expect(find_probe_type(target.scheme) != nullptr, "a target has a probe");
  expect(target.is_unix() == target.scheme.ends_with("+unix"), "a Unix scheme has a socket");
  expect(target.label.find_first_of("?#") == std::string::npos, "a label has no query");
  check_no_separators(target.label);
  check_no_separators(target.path);
  if (target.is_unix()) {
    expect(target.unix_path[0] == '/' && target.unix_path.size() <= 107, "a socket's path fits");
    check_no_separators(target.unix_path);
  } else {
    check_host(target);
  }
  const bool has_path = target.scheme.starts_with("http");
  expect(has_path ? target.path.starts_with('/') : target.path.empty(), "a path begins with '/'");
  expect(target.path.find('#') == std::string::npos, "a path has no fragment");
}

void check_detail(std::string_view detail) {
  expect(detail.size() <= 100, "a detail is bounded");
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_,-";
  expect(detail.find_first_not_of(kCharacters) == std::string_view::npos,
         "a detail is made of tokens");
}

void check_classified(const Classified& classified) {
  const auto code = static_cast<unsigned>(classified.error);
  expect(code <= kErrorClassCount, "a class is one of the catalogue");
  check_detail(classified.detail);
}

void check_upstream(const UpstreamConfig& upstream, std::size_t longest) {
  expect(!upstream.name.empty() && upstream.name.size() <= longest, "a name is short");
  expect(is_printable_line(upstream.name), "a name is printable");
  expect(!upstream.targets.empty(), "an upstream has a target");
  std::set<std::string> labels;
  for (const TargetConfig& one : upstream.targets) {
    check_target(one.target);
    expect(one.make != nullptr, "a target has a maker of probes");
    expect(find_probe_type(one.target.scheme)->name == one.type, "a target has its scheme's type");
    expect(labels.insert(one.target.label).second,
           "an upstream's targets have labels of their own");
  }
}

}  // namespace ua::fuzz
