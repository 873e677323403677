// SPDX-License-Identifier: Apache-2.0
#include "agent/web/access.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::string_view kTunnel =
    "From elsewhere, open a tunnel and ask through it:\n"
    "  ssh -L 10917:localhost:10917 THIS_HOST\n"
    "  http://localhost:10917/\n"
    "or configure [web.basic_auth_users] or client certificates.\n";

bool is_port(std::string_view text) {
  return text.empty() ||
         (text.starts_with(':') && text.find_first_not_of("0123456789", 1) == std::string::npos);
}

template <int family>
bool is_literal(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return false;  // inet_pton() would end there
  std::array<unsigned char, sizeof(in6_addr)> buffer{};
  return inet_pton(family, std::string(text).c_str(), buffer.data()) == 1;
}

/// Whether the page that sent it is one of ours. What was read over plain HTTP may be anybody's
/// where we serve over TLS; the other way round a proxy may have taken the TLS off.
bool is_own_page(const AccessRequest& request) {
  const std::size_t mark = request.origin.find("://");
  if (mark == std::string_view::npos || request.host.empty()) return false;
  const std::string_view scheme = request.origin.substr(0, mark);
  if (!iequals(scheme, "https") && (request.tls || !iequals(scheme, "http"))) return false;
  return iequals(request.origin.substr(mark + 3), request.host);
}

}  // namespace

bool is_local_name(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    return close != std::string_view::npos && is_port(host.substr(close + 1)) &&
           is_literal<AF_INET6>(host.substr(1, close - 1));
  }
  const std::size_t colon = std::min(host.find(':'), host.size());
  const std::string_view name = host.substr(0, colon);
  return is_port(host.substr(colon)) && (iequals(name, "localhost") || is_literal<AF_INET>(name));
}

bool is_loopback(const sockaddr* peer) {
  if (peer == nullptr) return false;
  if (peer->sa_family == AF_UNIX) return true;
  if (peer->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(peer);
    return (ntohl(v4->sin_addr.s_addr) >> 24U) == 127;
  }
  if (peer->sa_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_forwarding(std::string_view header_name) {
  const std::string lower = to_lower(header_name);
  return lower == "forwarded" || lower.starts_with("x-forwarded-");
}

std::optional<std::string> refuse_private(const AccessRequest& request) {
  if (request.authenticated) return std::nullopt;
  if (!request.from_loopback) {
    return "This page answers to this host only. " + std::string(kTunnel);
  }
  if (request.forwarded) {
    return "This page does not answer through a proxy: the request has a Forwarded or "
           "X-Forwarded-* header. Ask the agent directly. " +
           std::string(kTunnel);
  }
  // An HTTP/1.0 client may leave Host out; no browser does.
  if (!request.host.empty() && !is_local_name(request.host)) {
    return "This page answers only where the Host is localhost or an IP address, so that no web "
           "page elsewhere can read it. Ask for http://localhost:PORT/ instead.\n";
  }
  return std::nullopt;
}

std::optional<std::string> refuse_action(const AccessRequest& request) {
  if (auto refused = refuse_private(request)) return refused;
  if (request.origin.empty()) return std::nullopt;
  if (is_own_page(request)) return std::nullopt;
  return "Refused: a web page of another origin sent this request. On this host, use "
         "curl -X POST http://localhost:PORT/-/reload or send the agent a SIGHUP.\n";
}

}  // namespace ua
