// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/local_listener.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "collectors/core/sock_diag.h"

namespace ua {
namespace {

/// The address without its port, as bytes to compare.
std::string address_bytes(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr};
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    return {reinterpret_cast<const char*>(&v6->sin6_addr), sizeof v6->sin6_addr};
  }
  return {};
}

bool is_local(const Endpoint& endpoint) {
  const std::string wanted = address_bytes(endpoint.address());
  if (endpoint.family() == AF_INET && wanted[0] == 127) return true;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  bool found = false;
  for (const ifaddrs* entry = list; entry != nullptr && !found; entry = entry->ifa_next) {
    found = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == endpoint.family() &&
            address_bytes(entry->ifa_addr) == wanted;
  }
  freeifaddrs(list);
  return found;
}

bool serves(const DiagSocket& listener, const Endpoint& endpoint) {
  const std::string wanted = address_bytes(endpoint.address());
  const bool wildcard = std::all_of(listener.local.begin(), listener.local.end(),
                                    [](std::uint8_t byte) { return byte == 0; });
  if (wildcard && listener.family != endpoint.family()) {
    return listener.family == AF_INET6 && !listener.v6_only;
  }
  if (wildcard) return true;
  return listener.family == endpoint.family() &&
         std::memcmp(listener.local.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace

std::optional<LocalListener> local_listener(const Endpoint& endpoint) {
  if (endpoint.family() == AF_UNIX || !is_local(endpoint)) return std::nullopt;
  const auto listeners = listening_sockets(endpoint.port());
  if (!listeners) return std::nullopt;
  std::optional<LocalListener> found;
  for (const DiagSocket& listener : *listeners) {
    if (!serves(listener, endpoint)) continue;
    if (!found || listener.receive_queue >= found->waiting) {
      found = LocalListener{listener.receive_queue, listener.send_queue};
    }
  }
  return found;
}

}  // namespace ua
