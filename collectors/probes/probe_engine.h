// SPDX-License-Identifier: Apache-2.0
// What the probes of one loop share. No globals, so that several loops could share the targets.
#pragma once

#include <functional>

#include "collectors/probes/connect_rate.h"
#include "collectors/probes/curl_multi.h"
#include "collectors/probes/endpoint.h"
#include "collectors/probes/handshake_gate.h"
#include "collectors/probes/resolver.h"

namespace ua {

class ProbeEngine {
 public:
  explicit ProbeEngine(Loop& l) : loop(l), resolver(l), handshakes(l), curl(l) {}

  Loop& loop;
  Resolver resolver;
  HandshakeGate handshakes;
  ConnectRate connect_rate;
  CurlMulti curl;
};

/// Whether `endpoint` belongs to this host's network namespace and its listener's accept queue is
/// over its limit. Asks the kernel by sock_diag: microseconds.
bool accept_queue_full(const Endpoint& endpoint);

}  // namespace ua
