// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/address_order.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include "collectors/core/unique_fd.h"

namespace ua {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

/// IPv4 as ::ffff:a.b.c.d, as RFC 6724 wants.
Bytes bytes_of(const sockaddr_storage& storage) {
  Bytes result{};
  if (storage.ss_family == AF_INET) {
    result[10] = result[11] = 0xff;
    std::memcpy(&result[12], &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, 4);
  } else {
    std::memcpy(result.data(), &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, 16);
  }
  return result;
}

struct Policy {
  Bytes prefix;
  unsigned bits;
  int precedence;
  int label;
};

// RFC 6724 section 2.1, the default table, longest prefix first.
constexpr std::array<Policy, 9> kPolicies{{
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, 50, 0},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 35, 4},
    {{}, 96, 1, 3},
    {{0x20, 0x01}, 32, 5, 5},
    {{0x20, 0x02}, 16, 30, 2},
    {{0x3f, 0xfe}, 16, 1, 12},
    {{0xfe, 0xc0}, 10, 1, 11},
    {{0xfc}, 7, 3, 13},
    {{}, 0, 40, 1},
}};

bool has_prefix(const Bytes& address, const Policy& policy) {
  for (unsigned bit = 0; bit < policy.bits; bit += 8) {
    const unsigned left = std::min(8U, policy.bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> left);
    if (((address[bit / 8] ^ policy.prefix[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

const Policy& policy_of(const Bytes& address) {
  return *std::find_if(kPolicies.begin(), kPolicies.end(),
                       [&](const Policy& policy) { return has_prefix(address, policy); });
}

/// RFC 6724 section 3: 2 link-local, 14 global; loopback counts as link-local.
int scope_of(const Bytes& address) {
  const bool mapped = has_prefix(address, kPolicies[1]);
  if (mapped) {
    const bool link = address[12] == 127 || (address[12] == 169 && address[13] == 254);
    return link ? 2 : 14;
  }
  if (has_prefix(address, kPolicies[0])) return 2;
  return address[0] == 0xfe && (address[1] & 0xc0U) == 0x80 ? 2 : 14;
}

struct Ranked {
  bool unusable = false;
  bool scope_differs = false;
  bool label_differs = false;
  int negative_precedence = 0;
  Endpoint endpoint;

  auto key() const {
    return std::tuple(unusable, scope_differs, label_differs, negative_precedence);
  }
};

Ranked rank(const Endpoint& endpoint) {
  Ranked result;
  result.endpoint = endpoint;
  const Bytes destination = bytes_of(endpoint.storage);
  const Policy& policy = policy_of(destination);
  result.negative_precedence = -policy.precedence;
  const UniqueFd fd(socket(endpoint.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage source{};
  socklen_t size = sizeof source;
  if (!fd || connect(fd.get(), endpoint.address(), endpoint.size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&source), &size) != 0) {
    result.unusable = true;
    return result;
  }
  const Bytes from = bytes_of(source);
  result.scope_differs = scope_of(from) != scope_of(destination);
  result.label_differs = policy_of(from).label != policy.label;
  return result;
}

}  // namespace

void order_addresses(std::vector<Endpoint>& addresses) {
  if (addresses.size() < 2) return;
  std::vector<Ranked> ranked;
  ranked.reserve(addresses.size());
  for (const Endpoint& endpoint : addresses) ranked.push_back(rank(endpoint));
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.key() < b.key(); });
  for (std::size_t i = 0; i < ranked.size(); ++i) addresses[i] = ranked[i].endpoint;
}

}  // namespace ua
