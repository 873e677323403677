// SPDX-License-Identifier: Apache-2.0
// Pressure stall information, from /proc/pressure/*. Sampling thread.
#pragma once

#include <filesystem>
#include <string_view>

#include "collectors/host/proc_file.h"

namespace ua {

/// Kernel document "PSI": totals are in microseconds. A kernel before 5.13 has no "full" for cpu.
Result<Pressure> parse_pressure(std::string_view pressure);

/// A resource that cannot be read fails the sample but not the other resources.
class PressureSampler final : public HostSampler {
 public:
  explicit PressureSampler(const std::filesystem::path& proc) : directory_(proc / "pressure") {}
  std::string_view name() const override { return "pressure"; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  std::filesystem::path directory_;
};

}  // namespace ua
