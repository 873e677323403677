// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/target.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "collectors/core/text.h"

namespace ua {
namespace {

std::uint16_t default_port(std::string_view scheme) {
  if (scheme == "http") return 80;
  return scheme == "https" ? 443 : 0;
}

bool has_path(std::string_view scheme) { return scheme.starts_with("http"); }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::string quoted(std::string_view text) { return '\'' + escape_line(text, 200) + '\''; }

std::string_view without_query(std::string_view url) {
  return url.substr(0, url.find_first_of("?#"));
}

Result<Target> parse_unix(Target target, std::string_view rest) {
  if (!rest.starts_with('/')) {
    return fail("a Unix socket needs an absolute path, as in " + target.scheme +
                ":///run/app.sock");
  }
  const std::size_t colon = rest.find(':');
  target.unix_path = rest.substr(0, colon);
  std::string_view path = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  if (!has_path(target.scheme)) {
    if (!path.empty()) return fail("a " + target.scheme + " target has no path after its socket");
    return target;
  }
  if (path.empty()) path = "/";
  if (!path.starts_with('/')) {
    return fail("the path after the socket's colon starts with '/', not " + quoted(path));
  }
  target.path = path;
  return target;
}

/// Splits "host:port", "[v6]:port", "host".
Result<Target> parse_host(Target target, std::string_view authority) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return fail("'[' without ']' in the host");
    target.host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return fail("unexpected text after ']': " + quoted(rest));
    if (!rest.empty()) port = rest.substr(1);
    if (rest == ":") return fail("the port is missing after ':'");
  } else {
    const std::size_t colon = authority.find(':');
    target.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) {
      port = authority.substr(colon + 1);
      if (port.empty()) return fail("the port is missing after ':'");
      if (port.find(':') != std::string_view::npos) {
        return fail("an IPv6 address stands in brackets, as in [" + std::string(authority) + "]");
      }
    }
  }
  if (target.host.empty()) return fail("the host is missing");
  // No name begins so, and a command that is handed one would take it for an option.
  if (target.host[0] == '-') return fail("a host does not begin with '-'");
  if (port.empty()) {
    target.port = default_port(target.scheme);
    if (target.port == 0) {
      return fail("the port is missing, as in " + target.scheme + "://" + target.host + ":5432");
    }
    return target;
  }
  const auto number = parse_port(port);
  if (!number) return fail("a port is a number from 1 to 65535, not " + quoted(port));
  target.port = *number;
  return target;
}

bool has_bad_characters(std::string_view url) {
  return std::any_of(url.begin(), url.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
}

}  // namespace

std::string Target::authority() const {
  if (is_unix()) return unix_path;
  const std::string bracketed = host.find(':') == std::string::npos ? host : '[' + host + ']';
  return bracketed + ':' + std::to_string(port);
}

Result<Target> parse_target(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos) {
    return fail("a target is a URL, as in http://127.0.0.1:8080/healthz or tcp://127.0.0.1:5432; " +
                quoted(url) + " has no scheme");
  }
  if (has_bad_characters(url)) return fail("a target has no spaces and no control characters");
  Target target;
  target.scheme = to_lower(url.substr(0, mark));
  target.label = without_query(url);
  std::string_view rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find('#'));
  if (target.scheme.ends_with("+unix")) return parse_unix(std::move(target), rest);
  const std::size_t slash = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (authority.find('@') != std::string_view::npos) {
    return fail(
        "credentials do not belong into a target; use http.basic_auth with a password file");
  }
  if (has_path(target.scheme)) {
    target.path = path.starts_with('/') ? std::string(path) : '/' + std::string(path);
  } else if (!path.empty() && path != "/") {
    return fail("a " + target.scheme + " target has no path: " + quoted(path));
  }
  return parse_host(std::move(target), authority);
}

Result<Target> resolve_location(const Target& base, std::string_view location) {
  const std::string authority = base.is_unix() ? base.unix_path + ':' : base.authority();
  const std::string origin = base.scheme + "://" + authority;
  const std::string base_path(without_query(base.path));
  const std::size_t colon = location.find(':');
  const bool absolute =
      colon != std::string_view::npos && colon < location.find_first_of("/?#") && colon > 0;
  std::string url;
  if (absolute) {
    url = location;
  } else if (location.starts_with("//")) {
    url = base.scheme + ':' + std::string(location);
  } else if (location.starts_with('/')) {
    url = origin + std::string(location);
  } else if (location.starts_with('?')) {
    url = origin + base_path + std::string(location);
  } else {
    url = origin + base_path.substr(0, base_path.rfind('/') + 1) + std::string(location);
  }
  Result<Target> target = parse_target(url);
  if (!target) return target;
  const bool allowed = target->scheme == "http" || target->scheme == "https" ||
                       (target->scheme == base.scheme && base.is_unix() && !absolute);
  if (!allowed) return fail("a redirect may lead to http and https only");
  return target;
}

}  // namespace ua
