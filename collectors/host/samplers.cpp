// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/samplers.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"
#include "collectors/host/connections.h"

namespace ua {
namespace {

constexpr std::size_t kMaxProcFile = 8 << 20;  // /proc/stat of 4096 processors

constexpr std::array<double CpuTimes::*, 8> kModes{
    &CpuTimes::user,   &CpuTimes::nice, &CpuTimes::system,  &CpuTimes::idle,
    &CpuTimes::iowait, &CpuTimes::irq,  &CpuTimes::softirq, &CpuTimes::steal};

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    result.push_back(line.substr(at, end - at));
    at = end;
  }
  return result;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_cpu_line(std::string_view word) {
  return word.size() > 3 && word.starts_with("cpu") && word[3] >= '0' && word[3] <= '9';
}

/// A sampler that reads one file and parses it.
class FileSampler final : public HostSampler {
 public:
  using Take = std::function<Result<void>(std::string_view content, HostSnapshot& into)>;
  FileSampler(std::string_view name, std::filesystem::path path, Take take)
      : name_(name), path_(std::move(path)), take_(std::move(take)) {}
  std::string_view name() const override { return name_; }
  Result<void> sample(HostSnapshot& into) override {
    const Result<std::string> content = read_regular_file(path_, kMaxProcFile);
    if (!content) return tl::unexpected(content.error());
    return take_(*content, into);
  }

 private:
  std::string_view name_;
  std::filesystem::path path_;
  Take take_;
};

class PressureSampler final : public HostSampler {
 public:
  explicit PressureSampler(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::string_view name() const override { return "pressure"; }
  Result<void> sample(HostSnapshot& into) override {
    for (const char* resource : {"cpu", "io", "memory"}) {
      const Result<std::string> content = read_regular_file(directory_ / resource, kMaxProcFile);
      if (!content) return tl::unexpected(content.error());
      const Result<Pressure> pressure = parse_pressure(*content);
      if (!pressure) return tl::unexpected(pressure.error());
      into.pressure[resource] = *pressure;
    }
    return {};
  }

 private:
  std::filesystem::path directory_;
};

/// The kernel's idle and iowait can step back (hotplug, tickless accounting); a counter must not.
class CpuSampler final : public HostSampler {
 public:
  explicit CpuSampler(std::filesystem::path path) : path_(std::move(path)) {}
  std::string_view name() const override { return "cpu"; }
  Result<void> sample(HostSnapshot& into) override {
    const Result<std::string> content = read_regular_file(path_, kMaxProcFile);
    if (!content) return tl::unexpected(content.error());
    Result<CpuTimes> times = parse_cpu(*content, sysconf(_SC_CLK_TCK));
    if (!times) return tl::unexpected(times.error());
    for (double CpuTimes::*mode : kModes) {
      (*times).*mode = std::max((*times).*mode, last_.*mode);
    }
    last_ = *times;
    into.cpu = *times;
    return {};
  }

 private:
  std::filesystem::path path_;
  CpuTimes last_;
};

template <typename Parse, typename Member>
FileSampler::Take taking(Parse parse, Member member) {
  return [parse, member](std::string_view content, HostSnapshot& into) -> Result<void> {
    auto parsed = parse(content);
    if (!parsed) return tl::unexpected(parsed.error());
    into.*member = *parsed;
    return {};
  };
}

std::unique_ptr<HostSampler> make_sampler(std::string_view name,
                                          const std::filesystem::path& proc) {
  const auto file = [&](std::string_view own_name, const char* path, FileSampler::Take take) {
    return std::make_unique<FileSampler>(own_name, proc / path, std::move(take));
  };
  if (name == "cpu") return std::make_unique<CpuSampler>(proc / "stat");
  if (name == "load") return file("load", "loadavg", taking(parse_load, &HostSnapshot::load));
  if (name == "memory") {
    return file("memory", "meminfo", taking(parse_memory, &HostSnapshot::memory));
  }
  if (name == "pressure") return std::make_unique<PressureSampler>(proc / "pressure");
  if (name == "oom")
    return file("oom", "vmstat", taking(parse_oom_kills, &HostSnapshot::oom_kills));
  if (name == "connections") return std::make_unique<ConnectionSampler>();
  return nullptr;
}

Result<void> read_modes(const std::vector<std::string_view>& fields, long ticks_per_second,
                        CpuTimes& times) {
  if (fields.size() < 5) return fail("/proc/stat: the cpu line is too short");
  // Older kernels have fewer columns; what is not told stays 0.
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
    const auto fields = words(line);
    if (fields.empty()) continue;
    if (is_cpu_line(fields[0])) ++result.cpus;
    if (fields[0] != "cpu") continue;
    const Result<void> read = read_modes(fields, ticks_per_second, result);
    if (!read) return tl::unexpected(read.error());
    found = true;
  }
  if (!found) return fail("/proc/stat: no cpu line");
  return result;
}

Result<LoadAverage> parse_load(std::string_view loadavg) {
  const auto fields = words(trim(loadavg));
  if (fields.size() < 3) return fail("/proc/loadavg: expected three averages");
  const auto one = number<double>(fields[0]);
  const auto five = number<double>(fields[1]);
  const auto fifteen = number<double>(fields[2]);
  if (!one || !five || !fifteen) return fail("/proc/loadavg: not a number");
  return LoadAverage{*one, *five, *fifteen};
}

Result<MemoryInfo> parse_memory(std::string_view meminfo) {
  MemoryInfo result;
  const std::array<std::pair<std::string_view, std::optional<std::uint64_t>*>, 7> wanted{
      {{"MemTotal:", &result.total},
       {"MemFree:", &result.free},
       {"MemAvailable:", &result.available},
       {"Buffers:", &result.buffers},
       {"Cached:", &result.cached},
       {"SwapTotal:", &result.swap_total},
       {"SwapFree:", &result.swap_free}}};
  for (const std::string_view line : split(meminfo, '\n')) {
    const auto fields = words(line);
    if (fields.size() < 2) continue;
    for (const auto& [key, value] : wanted) {
      if (fields[0] != key) continue;
      if (const auto kib = number<std::uint64_t>(fields[1])) *value = *kib * 1024;
    }
  }
  if (!result.total) return fail("/proc/meminfo: no MemTotal");
  return result;
}

Result<Pressure> parse_pressure(std::string_view pressure) {
  Pressure result;
  for (const std::string_view line : split(pressure, '\n')) {
    const auto fields = words(line);
    if (fields.empty() || !fields.back().starts_with("total=")) continue;
    const auto total = number<std::uint64_t>(fields.back().substr(6));
    if (!total) return fail("/proc/pressure: total is no number");
    const double seconds = static_cast<double>(*total) / 1e6;
    if (fields[0] == "some") result.waiting = seconds;
    if (fields[0] == "full") result.stalled = seconds;
  }
  if (!result.waiting) return fail("/proc/pressure: no line \"some\"");
  return result;
}

Result<std::uint64_t> parse_oom_kills(std::string_view vmstat) {
  for (const std::string_view line : split(vmstat, '\n')) {
    const auto fields = words(line);
    if (fields.size() != 2 || fields[0] != "oom_kill") continue;
    if (const auto count = number<std::uint64_t>(fields[1])) return *count;
  }
  return fail("/proc/vmstat: no oom_kill (kernels before 4.13 have none)");
}

bool has_default_route(std::string_view route, std::string_view ipv6_route) {
  for (const std::string_view line : split(route, '\n')) {
    const auto fields = words(line);
    if (fields.size() >= 8 && fields[1] == "00000000" && fields[7] == "00000000") return true;
  }
  for (const std::string_view line : split(ipv6_route, '\n')) {
    const auto fields = words(line);
    // Every kernel has a reject entry for ::/0 on lo.
    if (fields.size() >= 10 && fields[1] == "00" && fields[9] != "lo" &&
        fields[0].find_first_not_of('0') == std::string_view::npos) {
      return true;
    }
  }
  return false;
}

bool read_has_default_route(const std::filesystem::path& proc) {
  const auto read = [&](const char* name) {
    return read_regular_file(proc / "net" / name, kMaxProcFile).value_or("");
  };
  return has_default_route(read("route"), read("ipv6_route"));
}

std::vector<std::unique_ptr<HostSampler>> make_host_samplers(const std::vector<std::string>& names,
                                                             const std::filesystem::path& proc) {
  std::vector<std::unique_ptr<HostSampler>> result;
  for (const std::string& name : names) {
    if (auto sampler = make_sampler(name, proc)) result.push_back(std::move(sampler));
  }
  return result;
}

}  // namespace ua
