// SPDX-License-Identifier: Apache-2.0
#include "agent/web/access.h"

#include <arpa/inet.h>

#include <array>

#include "collectors/core/text.h"

namespace ua {
namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    return close == std::string_view::npos ? "" : host.substr(1, close - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_literal(std::string_view text) {
  std::array<unsigned char, 16> buffer{};
  const std::string copy(text);
  return inet_pton(AF_INET, copy.c_str(), buffer.data()) == 1 ||
         inet_pton(AF_INET6, copy.c_str(), buffer.data()) == 1;
}

}  // namespace

bool is_local_name(std::string_view host) {
  const std::string_view name = without_port(host);
  return iequals(name, "localhost") || is_literal(name);
}

std::optional<std::string> refuse_private(const AccessRequest& request) {
  if (!request.from_loopback) {
    return "This page answers to this host only. Use an SSH tunnel: "
           "ssh -L 10917:localhost:10917 HOST, then http://localhost:10917/\n";
  }
  if (request.forwarded) {
    return "This page does not answer through a proxy (the request has a Forwarded or "
           "X-Forwarded-* header).\n";
  }
  if (!request.host.empty() && !is_local_name(request.host)) {
    return "This page answers to the names localhost, 127.0.0.1 and [::1] only.\n";
  }
  return std::nullopt;
}

std::optional<std::string> refuse_action(const AccessRequest& request) {
  if (auto refused = refuse_private(request)) return refused;
  if (request.origin.empty()) return std::nullopt;
  const std::size_t mark = request.origin.find("://");
  const bool own = mark != std::string_view::npos && !request.host.empty() &&
                   iequals(request.origin.substr(mark + 3), request.host);
  if (own) return std::nullopt;
  return "Refused: the request comes from a page of another origin.\n";
}

}  // namespace ua
