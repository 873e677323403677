// SPDX-License-Identifier: Apache-2.0
// What the host looked like at one moment. A value; each part is there only where its sampler
// worked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/sock_diag.h"
#include "collectors/core/time.h"

namespace ua {

/// /proc/stat, seconds since boot; names as node_exporter has them. Guest time is within user and
/// nice, as the kernel counts it.
struct CpuTimes {
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  unsigned cpus = 0;
};

struct LoadAverage {
  double one = 0, five = 0, fifteen = 0;
};

/// /proc/meminfo, bytes; absent where the kernel does not tell.
struct MemoryInfo {
  std::optional<std::uint64_t> total, free, available, buffers, cached, swap_total, swap_free;
};

/// /proc/pressure/*, seconds since boot during which some or all tasks waited.
struct Pressure {
  std::optional<double> waiting;
  std::optional<double> stalled;
};

using StateCounts = std::array<std::uint64_t, kTcpStateCount + 1>;  ///< by TcpState

struct ListenQueue {
  std::uint64_t length = 0;            ///< the fullest of this port's listeners
  std::optional<std::uint64_t> limit;  ///< of the same listener; /proc/net/tcp does not tell
};

struct TcpConnections {
  StateCounts by_state{};
  std::map<std::uint16_t, StateCounts> by_port;  ///< of ports that something listens on
  std::map<std::uint16_t, ListenQueue> queues;
};

/// How one sampler fared.
struct SamplerRun {
  std::string name;
  bool success = false;
  Duration took{};
  std::string error;
};

struct HostSnapshot {
  std::optional<CpuTimes> cpu;
  std::optional<double> cpu_busy_ratio;  ///< 0 to 1, since the sample before; absent in the first
  std::optional<LoadAverage> load;
  std::optional<MemoryInfo> memory;
  std::map<std::string, Pressure> pressure;  ///< by resource: cpu, io, memory
  std::optional<std::uint64_t> oom_kills;
  std::optional<TcpConnections> connections;
  std::vector<SamplerRun> runs;
};

}  // namespace ua
