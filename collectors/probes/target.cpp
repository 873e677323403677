// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "collectors/core/text.h"
#include "collectors/probes/dns/dns_options.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/probe_types.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 4> kLaterSchemes{"udp", "icmp", "grpc", "grpcs"};
constexpr std::size_t kMaxHost = 253;  // RFC 1035, 255 bytes on the wire

/// @param scheme a known one
std::uint16_t default_port(std::string_view scheme) { return find_scheme(scheme)->default_port; }

bool has_path(std::string_view scheme) { return find_scheme(scheme)->has_path; }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::string quoted(std::string_view text) {
  return '\'' + escape_line(without_secrets(text), 200) + '\'';
}

tl::unexpected<Error> no_credentials() {
  return fail("credentials do not belong into a target; use http.basic_auth with a password file");
}

/// RFC 3986 section 3.1
bool is_scheme(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
  });
}

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
  if (target.unix_path.find('?') != std::string::npos) {
    return fail("a query belongs to a path, which stands after the socket and a colon, as in " +
                target.scheme + ":///run/app.sock:/path?query");
  }
  if (!unix_endpoint(target.unix_path)) {
    return fail("the path of a Unix socket has at most 107 bytes");
  }
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

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

Result<void> check_name(std::string_view host) {
  if (host.empty()) return fail("the host is missing");
  // No name begins so, and a command that is handed one would take it for an option.
  if (host[0] == '-') return fail("a host does not begin with '-'");
  if (std::any_of(host.begin(), host.end(), [](char c) { return (c & 0x80) != 0; })) {
    return fail("a host is ASCII; write " + quoted(host) + " in its xn-- form");
  }
  if (!std::all_of(host.begin(), host.end(), is_host_character)) {
    return fail("a host has letters, digits, '.', '-' and '_' only, unlike " + quoted(host));
  }
  if (host[0] == '.' || host.find("..") != std::string_view::npos) {
    return fail("an empty part between the dots of " + quoted(host));
  }
  if (host.size() > kMaxHost) return fail("a host has at most 253 characters");
  return {};
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

Result<HostAndPort> split_bracketed(std::string_view authority) {
  const std::size_t close = authority.find(']');
  if (close == std::string_view::npos) return fail("'[' without ']' in the host");
  HostAndPort result{authority.substr(1, close - 1), std::nullopt};
  const std::string_view rest = authority.substr(close + 1);
  if (result.host.find(':') == std::string_view::npos || !ip_endpoint(result.host, 0)) {
    return fail(quoted(result.host) + " is no IPv6 address");
  }
  if (rest.empty()) return result;
  if (rest[0] != ':') return fail("unexpected text after ']': " + quoted(rest));
  result.port = rest.substr(1);
  return result;
}

/// "fe80::1%25eth0" is how a URL writes "fe80::1%eth0" (RFC 6874); many leave the "25" out.
std::string without_escaped_zone(std::string_view host) {
  constexpr std::string_view kEscaped = "%25";
  std::string result(host);
  const std::size_t zone = result.find(kEscaped);
  const bool escaped = zone != std::string::npos && zone + kEscaped.size() < result.size();
  return escaped ? result.erase(zone + 1, 2) : result;
}

Result<HostAndPort> split_named(std::string_view authority) {
  const std::size_t colon = authority.find(':');
  HostAndPort result{authority.substr(0, colon), std::nullopt};
  if (colon != std::string_view::npos) result.port = authority.substr(colon + 1);
  if (result.port && result.port->find(':') != std::string_view::npos) {
    return fail("an IPv6 address stands in brackets, as in [" + escape_line(authority, 200) + "]");
  }
  if (const Result<void> good = check_name(result.host); !good) return tl::unexpected(good.error());
  return result;
}

/// Takes "host:port", "[v6]:port" or "host".
Result<Target> parse_host(Target target, std::string_view authority) {
  const Result<HostAndPort> parts =
      authority.starts_with('[') ? split_bracketed(authority) : split_named(authority);
  if (!parts) return tl::unexpected(parts.error());
  target.host = authority.starts_with('[') ? without_escaped_zone(parts->host) : parts->host;
  if (!parts->port) {
    target.port = default_port(target.scheme);
    if (target.port == 0) {
      return fail("the port is missing, as in " + target.scheme + "://" + std::string(authority) +
                  ":5432");
    }
    return target;
  }
  if (parts->port->empty()) return fail("the port is missing after ':'");
  const auto number = parse_port(*parts->port);
  if (!number) return fail("a port is a number from 1 to 65535, not " + quoted(*parts->port));
  target.port = *number;
  return target;
}

Result<void> check_scheme(std::string_view scheme) {
  if (find_probe_type(scheme) != nullptr) return {};
  const bool later =
      std::find(kLaterSchemes.begin(), kLaterSchemes.end(), scheme) != kLaterSchemes.end();
  const std::string shown = '\'' + escape_line(scheme, 60) + "://'";
  return fail((later ? shown + " is not supported by this version" : "no probe for " + shown) +
              "; there are " + known_schemes());
}

/// The scheme that a reference begins with (RFC 3986 section 3.1), lower case; empty for a relative
/// one.
std::string scheme_of(std::string_view reference) {
  const std::size_t end = reference.find_first_of(":/?");
  if (end == std::string_view::npos || end == 0 || reference[end] != ':') return {};
  return to_lower(reference.substr(0, end));
}

/// A Location as servers send it: without its fragment, and with the spaces and the bytes above
/// ASCII that many leave unencoded.
std::string as_reference(std::string_view location) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (const char c : trim(location.substr(0, location.find('#')))) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == ' ' || byte >= 0x80) {
      result += {'%', kHex[byte >> 4U], kHex[byte & 0xfU]};
    } else {
      result += c;
    }
  }
  return result;
}

/// RFC 3986 section 5.2.4, for a path that begins with '/'.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> segments = split(path.substr(1), '/');
  for (const std::string_view segment : segments) {
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (segment != "." && segment != "..") kept.push_back(segment);
  }
  if (segments.back() == "." || segments.back() == "..") kept.emplace_back();
  std::string result;
  for (const std::string_view segment : kept) result.append(1, '/').append(segment);
  return result.empty() ? "/" : result;
}

bool has_bad_characters(std::string_view url) {
  return std::any_of(url.begin(), url.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f;
  });
}

/// Takes what follows "://" of a network target.
Result<Target> parse_network(Target target, std::string_view rest) {
  const std::size_t slash = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (authority.find('@') != std::string_view::npos) return no_credentials();
  // A password may hold a '/' or a '?', and no message shows a part of it.
  const bool credentials = path.find('@') != std::string_view::npos;
  if (has_path(target.scheme)) {
    target.path = path.starts_with('/') ? std::string(path) : '/' + std::string(path);
  } else if (!path.empty() && path != "/") {
    if (credentials) return no_credentials();
    return fail("a " + target.scheme + " target has no path: " + quoted(path));
  }
  if (target.scheme == "dns") target.connects_itself = !dns_over_stream(target.path);
  Result<Target> parsed = parse_host(std::move(target), authority);
  if (!parsed && credentials) return no_credentials();
  return parsed;
}

}  // namespace

std::string Target::authority() const {
  if (is_unix()) return unix_path;
  const std::string bracketed = host.find(':') == std::string::npos ? host : '[' + host + ']';
  return bracketed + ':' + std::to_string(port);
}

Result<Target> parse_target(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos || !is_scheme(url.substr(0, mark))) {
    return fail("a target is a URL, as in http://127.0.0.1:8080/healthz or tcp://127.0.0.1:5432; " +
                quoted(url) + " has no scheme");
  }
  if (has_bad_characters(url)) return fail("a target has no spaces and no control characters");
  Target target;
  target.scheme = to_lower(url.substr(0, mark));
  if (const Result<void> known = check_scheme(target.scheme); !known) {
    return tl::unexpected(known.error());
  }
  const Scheme& scheme = *find_scheme(target.scheme);
  target.tls = scheme.tls;
  target.connects_itself = scheme.connects_itself;
  target.label = without_query(url);
  std::string_view rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find('#'));
  if (target.scheme.ends_with("+unix")) return parse_unix(std::move(target), rest);
  return parse_network(std::move(target), rest);
}

namespace {

bool same_origin(const Target& a, const Target& b) {
  return a.scheme == b.scheme && a.port == b.port && a.unix_path == b.unix_path &&
         iequals(a.host, b.host);
}

/// RFC 3986 section 5.2, for what a Location can hold.
Result<Target> parse_reference(const Target& base, std::string_view location) {
  const std::string reference = as_reference(location);
  if (const std::string scheme = scheme_of(reference); !scheme.empty()) {
    if (scheme != "http" && scheme != "https") {
      return fail("a redirect may lead to http and https only");
    }
    return parse_target(reference);
  }
  if (reference.starts_with("//")) {
    return parse_target((base.is_tls() ? "https:" : "http:") + reference);
  }
  const std::string origin =
      base.scheme + "://" + (base.is_unix() ? base.unix_path + ':' : base.authority());
  const std::string base_path(without_query(base.path));
  const std::size_t mark = reference.find('?');
  const std::string path = reference.substr(0, mark);
  const std::string query = mark == std::string::npos ? "" : reference.substr(mark);
  if (path.empty()) return parse_target(origin + (query.empty() ? base.path : base_path + query));
  const std::string merged =
      path.starts_with('/') ? path : base_path.substr(0, base_path.rfind('/') + 1) + path;
  return parse_target(origin + without_dot_segments(merged) + query);
}

}  // namespace

Result<Target> resolve_location(const Target& base, std::string_view location) {
  Result<Target> target = parse_reference(base, location);
  if (!target) return target;
  target->foreign_origin = base.foreign_origin || !same_origin(base, *target);
  target->as_get = base.as_get;
  return target;
}

}  // namespace ua
