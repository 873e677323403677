// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace ua {
namespace {

/// Names of interfaces may hold nearly anything; in a URL, a Host header or a command they may not.
bool is_zone(std::string_view zone) {
  return !zone.empty() && zone.size() < IF_NAMESIZE &&
         std::all_of(zone.begin(), zone.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

}  // namespace

std::uint16_t Endpoint::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

std::string Endpoint::zone() const {
  const unsigned scope = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_scope_id;
  std::array<char, IF_NAMESIZE> name{};
  if (family() != AF_INET6 || scope == 0) return "";
  return if_indextoname(scope, name.data()) != nullptr ? '%' + std::string(name.data()) : "";
}

std::string Endpoint::ip() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, buffer.data(),
              buffer.size());
  } else if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, buffer.data(),
              buffer.size());
  }
  return buffer.data();
}

std::string Endpoint::text() const {
  if (family() == AF_UNIX) return reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  const std::string host = family() == AF_INET ? ip() : '[' + ip() + zone() + ']';
  return host + ':' + std::to_string(port());
}

bool is_link_local(const Endpoint& endpoint) {
  if (endpoint.family() != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&endpoint.storage);
  return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) != 0;
}

std::optional<Endpoint> ip_endpoint(std::string_view literal, std::uint16_t port) {
  // A text of C's would end there.
  if (literal.find('\0') != std::string_view::npos) return std::nullopt;
  Endpoint result;
  const std::string text(literal);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    result.size = sizeof(sockaddr_in);
    return result;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  const std::size_t percent = text.find('%');
  if (percent != std::string::npos && !is_zone(literal.substr(percent + 1))) return std::nullopt;
  if (inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6->sin6_addr) != 1) {
    return std::nullopt;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  if (percent != std::string::npos) {
    v6->sin6_scope_id = if_nametoindex(text.substr(percent + 1).c_str());
  }
  result.size = sizeof(sockaddr_in6);
  return result;
}

std::optional<Endpoint> unix_endpoint(std::string_view path) {
  Endpoint result;
  auto* address = reinterpret_cast<sockaddr_un*>(&result.storage);
  if (path.empty() || path.size() >= sizeof(address->sun_path)) return std::nullopt;
  if (path.find('\0') != std::string_view::npos) return std::nullopt;
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, path.data(), path.size());
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return result;
}

}  // namespace ua
