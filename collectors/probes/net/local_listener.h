// SPDX-License-Identifier: Apache-2.0
// What this host's kernel knows about the listener behind an endpoint, where that is local.
#pragma once

#include <cstdint>
#include <optional>

#include "collectors/probes/net/endpoint.h"

namespace ua {

struct LocalListener {
  std::uint32_t waiting = 0;  ///< connections that nobody accepted yet
  std::uint32_t limit = 0;
  bool queue_full() const { return waiting > limit; }
};

/// The fullest of the listeners that serve `endpoint`; nullopt where there is none in this network
/// namespace or the address is not this host's. Asks the kernel by sock_diag: microseconds.
std::optional<LocalListener> local_listener(const Endpoint& endpoint);

}  // namespace ua
