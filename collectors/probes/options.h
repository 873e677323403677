// SPDX-License-Identifier: Apache-2.0
// The options that hold for every protocol. Plain values; each protocol has its own struct and its
// own header (http_options.h, tls_options.h), read from its own table of the upstream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "collectors/core/time.h"

namespace ua {

class TableReader;
struct SocketOptions;
struct Target;

/// `addresses`: which of a name's addresses one probe covers.
enum class AddressMode : std::uint8_t { any, first, all };
/// `ip_protocol`
enum class IpProtocol : std::uint8_t { any, v4, v6 };

/// What holds for every protocol.
struct RunOptions {
  Duration timeout = 5s;  ///< for everything: resolution, connects, redirects
  AddressMode addresses = AddressMode::any;
  IpProtocol ip_protocol = IpProtocol::any;
  std::optional<Duration> slow_threshold;
  std::shared_ptr<const SocketOptions> socket;  ///< null: nothing is asked of the sockets
  /// The forward proxy that is connected to; null: to the target itself.
  std::shared_ptr<const Target> via;
};

/// What the configuration as a whole allows to one probe.
struct ProbeLimits {
  std::uint64_t max_body = 1024ULL * 1024;  ///< bytes; also the default of http.max_body
};

/// Reports every mistake; the values returned are usable defaults where there was one.
RunOptions read_run_options(TableReader& upstream, const RunOptions& defaults);

}  // namespace ua
