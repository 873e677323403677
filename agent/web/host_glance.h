// SPDX-License-Identifier: Apache-2.0
// The host in a few numbers, for the status page and the API. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/host/host_snapshot.h"

namespace ua {

/// A listener whose queue is the fullest of all, by its share.
struct FullestQueue {
  std::uint16_t port = 0;
  std::uint64_t length = 0;
  std::uint64_t limit = 0;
};

/// The filesystem with the least room, by its share.
struct FullestFilesystem {
  std::string mount;
  double used_ratio = 0;  ///< 0 to 1, of what those who are not root may use
};

/// Absent where not sampled.
struct HostGlance {
  std::optional<unsigned> cpus;
  std::optional<double> cpu_busy_ratio;  ///< 0 to 1, in the last interval
  std::optional<double> load1;
  std::optional<double> memory_used_ratio;  ///< 0 to 1
  std::optional<double> swap_used_ratio;    ///< 0 to 1; absent without swap space
  std::optional<std::uint64_t> established;
  std::optional<std::uint64_t> time_wait;
  std::optional<std::uint64_t> listening;
  std::optional<FullestQueue> fullest_queue;      ///< absent while all are empty
  std::optional<std::uint64_t> listen_overflows;  ///< since boot
  /// 0 to 1: of the ephemeral ports, towards the one destination that has most of them.
  std::optional<double> ports_used_ratio;
  std::optional<double> conntrack_used_ratio;    ///< 0 to 1
  std::optional<double> descriptors_used_ratio;  ///< 0 to 1, of the whole host
  std::optional<FullestFilesystem> fullest_filesystem;
};

HostGlance host_glance(const HostSnapshot& snapshot);

}  // namespace ua
