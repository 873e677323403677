// SPDX-License-Identifier: Apache-2.0
// The host samplers that read /proc, and the list of all. parse_*() are pure; reading is apart,
// below a root that tests replace. Sampling thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "collectors/core/collector.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

using HostSampler = Collector<HostSnapshot>;

/// proc(5). @param ticks_per_second sysconf(_SC_CLK_TCK)
Result<CpuTimes> parse_cpu(std::string_view stat, long ticks_per_second);
Result<LoadAverage> parse_load(std::string_view loadavg);
Result<MemoryInfo> parse_memory(std::string_view meminfo);
/// Kernel document "PSI": totals are in microseconds.
Result<Pressure> parse_pressure(std::string_view pressure);
Result<std::uint64_t> parse_oom_kills(std::string_view vmstat);
/// Whether /proc/net/route or /proc/net/ipv6_route has a default route.
bool has_default_route(std::string_view route, std::string_view ipv6_route);
bool read_has_default_route(const std::filesystem::path& proc = "/proc");

/// The samplers of these names, in this order; unknown names are passed over (the configuration
/// refuses them).
std::vector<std::unique_ptr<HostSampler>> make_host_samplers(
    const std::vector<std::string>& names, const std::filesystem::path& proc = "/proc");

}  // namespace ua
