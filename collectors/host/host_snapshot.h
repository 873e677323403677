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

/// /proc/net/snmp and netstat, since boot of the network namespace; absent where the kernel does
/// not tell.
struct TcpCounters {
  std::optional<std::uint64_t> opened, accepted, failed, established_resets, sent_resets,
      sent_segments, retransmitted_segments, listen_overflows, listen_drops;
};

/// Local ports that the kernel gives to outgoing connections.
struct EphemeralPorts {
  std::uint64_t available = 0;  ///< all that it may give: ip_local_port_range without the reserved
  std::uint64_t used = 0;       ///< of these, held by some socket
  /// Held towards one remote address and port from one local address, where that is most. One more
  /// connection there needs a port that is not among them. Absent without sock_diag.
  std::optional<std::uint64_t> busiest_destination;
};

struct Conntrack {
  std::uint64_t entries = 0;
  std::uint64_t limit = 0;
};

struct FileDescriptors {
  std::uint64_t allocated = 0;
  std::uint64_t maximum = 0;
};

/// /proc/net/dev, since the interface came up.
struct InterfaceCounters {
  std::uint64_t bytes = 0, packets = 0, errors = 0, drops = 0;
};
struct Interface {
  InterfaceCounters received, sent;
};
struct Network {
  std::map<std::string, Interface> interfaces;  ///< by printable name
  std::uint64_t left_out = 0;
};

struct FilesystemUsage {
  std::string device, type;
  std::uint64_t size = 0, available = 0;      ///< bytes; available to those who are not root
  std::uint64_t inodes = 0, inodes_free = 0;  ///< 0 of 0 where the filesystem has no fixed number
  bool read_only = false;
};
struct Filesystems {
  std::map<std::string, FilesystemUsage> mounts;  ///< by printable mount point
  std::uint64_t left_out = 0;
};

/// /proc/vmstat, since boot.
struct Paging {
  std::optional<std::uint64_t> swapped_in_bytes, swapped_out_bytes, major_faults;
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
  std::optional<TcpCounters> tcp;
  std::optional<EphemeralPorts> ports;
  std::optional<Conntrack> conntrack;
  std::optional<FileDescriptors> descriptors;
  std::optional<Network> network;
  std::optional<Filesystems> filesystems;
  std::optional<Paging> paging;
  std::optional<std::uint64_t> boot_time;  ///< seconds since 1970
  std::vector<SamplerRun> runs;
};

}  // namespace ua
