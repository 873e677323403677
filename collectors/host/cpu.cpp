// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/cpu.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr double kLargeStep = 3;  // seconds

constexpr std::array<double CpuTimes::*, 8> kModes{
    &CpuTimes::user,   &CpuTimes::nice, &CpuTimes::system,  &CpuTimes::idle,
    &CpuTimes::iowait, &CpuTimes::irq,  &CpuTimes::softirq, &CpuTimes::steal};

bool is_processor(std::string_view word) {
  return word.size() > 3 && word.starts_with("cpu") && word[3] >= '0' && word[3] <= '9';
}

Result<void> read_modes(const std::vector<std::string_view>& fields, long ticks_per_second,
                        CpuTimes& times) {
  if (fields.size() < 5) return fail("/proc/stat: the cpu line is too short");
  // Older kernels have fewer columns; what is not told stays 0. Guest time, the columns after
  // these, is within user and nice already.
  for (std::size_t i = 0; i < kModes.size() && i + 1 < fields.size(); ++i) {
    const auto ticks = number<std::uint64_t>(fields[i + 1]);
    if (!ticks) return fail("/proc/stat: the cpu line holds no number");
    times.*kModes[i] = static_cast<double>(*ticks) / static_cast<double>(ticks_per_second);
  }
  return {};
}

}  // namespace

Result<CpuTimes> parse_cpu(std::string_view stat, long ticks_per_second) {
  CpuTimes result;
  bool found = false;
  for (const std::string_view line : split(stat, '\n')) {
    if (!line.starts_with("cpu")) continue;
    const auto fields = words(line);
    if (is_processor(fields[0])) ++result.cpus;
    if (fields[0] != "cpu") continue;
    const Result<void> read = read_modes(fields, ticks_per_second, result);
    if (!read) return tl::unexpected(read.error());
    found = true;
  }
  if (!found) return fail("/proc/stat: no cpu line");
  return result;
}

CpuTimes CpuCounters::update(const CpuTimes& times) {
  for (double CpuTimes::*mode : kModes) {
    const double now = times.*mode + offset_.*mode;
    const double step = now - last_.*mode;
    if (step <= -kLargeStep) offset_.*mode -= step;
    if (step > 0) last_.*mode = now;
  }
  last_.cpus = times.cpus;
  return last_;
}

std::optional<double> busy_ratio(const CpuTimes& before, const CpuTimes& now) {
  double all = 0;
  for (double CpuTimes::*mode : kModes) all += now.*mode - before.*mode;
  if (all <= 0) return std::nullopt;
  const double idle = now.idle - before.idle + now.iowait - before.iowait;
  return std::clamp(1 - idle / all, 0.0, 1.0);
}

Result<void> CpuSampler::sample(HostSnapshot& into) {
  const Result<std::string> content = read_proc_file(path_);
  if (!content) return tl::unexpected(content.error());
  const Result<CpuTimes> times = parse_cpu(*content, sysconf(_SC_CLK_TCK));
  if (!times) return tl::unexpected(times.error());
  into.cpu = counters_.update(*times);
  if (before_) into.cpu_busy_ratio = busy_ratio(*before_, *into.cpu);
  before_ = into.cpu;
  return {};
}

}  // namespace ua
