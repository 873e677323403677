// SPDX-License-Identifier: Apache-2.0
// What the probes of one loop share. No globals, so that several loops could share the targets.
#pragma once

#include "collectors/core/worker.h"
#include "collectors/probes/curl/curl_pool.h"
#include "collectors/probes/names/resolver.h"
#include "collectors/probes/net/connect_rate.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/tls/handshake_gate.h"

namespace ua {

class Transcript;

class ProbeEngine {
 public:
  static constexpr std::size_t kMaxMatching = 64;
  static constexpr std::size_t kMaxReading = 64;

  explicit ProbeEngine(Loop& l)
      : loop(l),
        resolver(l),
        handshakes(l),
        files(l, kMaxReading),
        curl(l, files),
        matcher(l, kMaxMatching) {}

  Loop& loop;
  Resolver resolver;
  HandshakeGate handshakes;
  ConnectRate connect_rate;
  Worker files;  ///< for files that may lie where reading hangs
  CurlPool curl;
  Transcript* transcript = nullptr;  ///< of the one run under way; null: none is kept
  Worker matcher;                    ///< for patterns that may take long
};

}  // namespace ua
