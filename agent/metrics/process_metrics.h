// SPDX-License-Identifier: Apache-2.0
// The process_* series that Prometheus client libraries export, read from /proc at each scrape: the
// nine of its guide for them, and the two of the network that the Go library adds. Any thread.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

/// What /proc/PID tells; a value it does not tell is absent, and so is its series.
struct ProcessFacts {
  std::optional<double> cpu_seconds;  ///< user and system
  std::optional<std::uint64_t> threads;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> heap_bytes;        ///< VmData: data segment with anonymous maps
  std::optional<std::uint64_t> open_fds;          ///< counted in /proc/PID/fd
  std::optional<double> max_fds;                  ///< +Inf for "unlimited"
  std::optional<double> virtual_max_bytes;        ///< likewise
  std::optional<std::uint64_t> network_rx_bytes;  ///< all interfaces of its network namespace
  std::optional<std::uint64_t> network_tx_bytes;
};

/// Pure parsers; each sets what it finds (proc(5)).
void parse_process_stat(std::string_view stat, long ticks_per_second, std::uint64_t page_bytes,
                        ProcessFacts& facts);
void parse_process_status(std::string_view status, ProcessFacts& facts);
void parse_process_limits(std::string_view limits, ProcessFacts& facts);
void parse_process_net_dev(std::string_view net_dev, ProcessFacts& facts);

/// @param process a directory like /proc/self
ProcessFacts read_process(const std::filesystem::path& process = "/proc/self");

class ProcessMetrics : public prometheus::Collectable {
 public:
  /// @param started when this process began: /proc tells it only together with the boot time,
  ///   which systemd's ProcSubset=pid hides
  explicit ProcessMetrics(WallTime started, std::filesystem::path process = "/proc/self");
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  WallTime started_;
  std::filesystem::path process_;
};

}  // namespace ua
