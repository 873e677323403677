// SPDX-License-Identifier: Apache-2.0
#include "agent/config/listen_address.h"

#include <charconv>
#include <optional>

#include "collectors/core/text.h"
#include "collectors/probes/net/endpoint.h"

namespace ua {
namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::string shown = '\'' + escape_line(text, 100) + '\'';
  if (text.find('\0') != std::string_view::npos) return fail(shown + " holds a NUL byte");
  ListenAddress result;
  result.text = text;
  if (text.starts_with("unix:")) {
    result.unix_path = text.substr(5);
    if (!result.unix_path.starts_with('/')) {
      return fail(shown + ": a socket needs an absolute path, as in unix:/run/upstream-agent.sock");
    }
    if (!unix_endpoint(result.unix_path)) {
      return fail(shown + ": the path of a Unix socket has at most 107 bytes");
    }
    return result;
  }
  const std::size_t colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : port_of(text.substr(colon + 1));
  if (!port) {
    return fail(shown + " is no listen address; write host:port, [v6]:port, :port or unix:/path");
  }
  result.port = *port;
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return result;
  if (host == "localhost") host = "127.0.0.1";
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos)) {
    return fail(shown + ": an IPv6 address stands in brackets, another does not");
  }
  if (!ip_endpoint(host, 0)) {
    return fail(shown + ": the host must be an address or localhost");
  }
  result.host = host;
  return result;
}

}  // namespace ua
