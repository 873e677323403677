// SPDX-License-Identifier: Apache-2.0
// CPU time by mode, of all processors together, from /proc/stat. Sampling thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "collectors/host/proc_file.h"

namespace ua {

/// proc(5). @param ticks_per_second sysconf(_SC_CLK_TCK)
Result<CpuTimes> parse_cpu(std::string_view stat, long ticks_per_second);

/// Makes counters of what the kernel tells. Idle and iowait step back a little all the time
/// (tickless accounting) and a lot when a processor goes offline or the process moves to another
/// view of /proc.
class CpuCounters {
 public:
  /// @return `times` such that no mode is ever less than before: a small step back is waited out, a
  /// large one (3 s) is counted on from, since waiting it out would freeze the mode for hours.
  CpuTimes update(const CpuTimes& times);

 private:
  CpuTimes offset_;
  CpuTimes last_;
};

/// The share of the time between two samples in which processors were not idle. nullopt where no
/// time has passed.
std::optional<double> busy_ratio(const CpuTimes& before, const CpuTimes& now);

class CpuSampler final : public HostSampler {
 public:
  explicit CpuSampler(const std::filesystem::path& proc) : path_(proc / "stat") {}
  std::string_view name() const override { return "cpu"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  std::filesystem::path path_;
  CpuCounters counters_;
  std::optional<CpuTimes> before_;
};

}  // namespace ua
