// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/samplers.h"

#include "collectors/host/connections.h"
#include "collectors/host/cpu.h"
#include "collectors/host/load.h"
#include "collectors/host/memory.h"
#include "collectors/host/oom_kills.h"
#include "collectors/host/pressure.h"

namespace ua {
namespace {

template <typename Parse, typename Member>
FileSampler::Take taking(Parse parse, Member member) {
  return [parse, member](std::string_view content, HostSnapshot& into) -> Result<void> {
    auto parsed = parse(content);
    if (!parsed) return tl::unexpected(parsed.error());
    into.*member = *parsed;
    return {};
  };
}

std::unique_ptr<HostSampler> make_sampler(std::string_view name, const PortsApart& ports,
                                          const std::filesystem::path& proc) {
  if (name == "cpu") return std::make_unique<CpuSampler>(proc);
  if (name == "load") {
    return std::make_unique<FileSampler>("load", proc / "loadavg",
                                         taking(parse_load, &HostSnapshot::load));
  }
  if (name == "memory") {
    return std::make_unique<FileSampler>("memory", proc / "meminfo",
                                         taking(parse_memory, &HostSnapshot::memory));
  }
  if (name == "pressure") return std::make_unique<PressureSampler>(proc);
  if (name == "oom") {
    return std::make_unique<FileSampler>("oom", proc / "vmstat",
                                         taking(parse_oom_kills, &HostSnapshot::oom_kills));
  }
  if (name == "connections") return std::make_unique<ConnectionSampler>(proc, ports);
  return nullptr;
}

}  // namespace

std::vector<std::unique_ptr<HostSampler>> make_host_samplers(const std::vector<std::string>& names,
                                                             const PortsApart& ports,
                                                             const std::filesystem::path& proc) {
  std::vector<std::unique_ptr<HostSampler>> result;
  for (const std::string& name : names) {
    if (auto sampler = make_sampler(name, ports, proc)) result.push_back(std::move(sampler));
  }
  return result;
}

}  // namespace ua
