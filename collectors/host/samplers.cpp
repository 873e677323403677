// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/samplers.h"

#include <unistd.h>

#include "collectors/host/boot.h"
#include "collectors/host/connections.h"
#include "collectors/host/conntrack.h"
#include "collectors/host/cpu.h"
#include "collectors/host/descriptors.h"
#include "collectors/host/ephemeral_ports.h"
#include "collectors/host/filesystems.h"
#include "collectors/host/load.h"
#include "collectors/host/memory.h"
#include "collectors/host/network.h"
#include "collectors/host/oom_kills.h"
#include "collectors/host/paging.h"
#include "collectors/host/pressure.h"
#include "collectors/host/tcp_counters.h"

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

Result<Paging> parse_own_paging(std::string_view vmstat) {
  return parse_paging(vmstat, static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
}

/// Those that are one file and one parser.
std::unique_ptr<HostSampler> make_file_sampler(std::string_view name,
                                               const std::filesystem::path& proc) {
  const auto made = [&](std::string_view own, const char* file, FileSampler::Take take) {
    return std::make_unique<FileSampler>(own, proc / file, std::move(take));
  };
  if (name == "load") return made("load", "loadavg", taking(parse_load, &HostSnapshot::load));
  if (name == "memory") {
    return made("memory", "meminfo", taking(parse_memory, &HostSnapshot::memory));
  }
  if (name == "oom")
    return made("oom", "vmstat", taking(parse_oom_kills, &HostSnapshot::oom_kills));
  if (name == "descriptors") {
    return made("descriptors", "sys/fs/file-nr",
                taking(parse_descriptors, &HostSnapshot::descriptors));
  }
  if (name == "swap")
    return made("swap", "vmstat", taking(parse_own_paging, &HostSnapshot::paging));
  if (name == "boot")
    return made("boot", "stat", taking(parse_boot_time, &HostSnapshot::boot_time));
  return nullptr;
}

std::unique_ptr<HostSampler> make_sampler(std::string_view name, const PortsApart& ports,
                                          const std::filesystem::path& proc) {
  if (name == "cpu") return std::make_unique<CpuSampler>(proc);
  if (name == "pressure") return std::make_unique<PressureSampler>(proc);
  if (name == "connections") return std::make_unique<ConnectionSampler>(proc, ports);
  if (name == "tcp") return std::make_unique<TcpCounterSampler>(proc);
  if (name == "ports") return std::make_unique<EphemeralPortSampler>(proc);
  if (name == "conntrack") return std::make_unique<ConntrackSampler>(proc);
  if (name == "network") return std::make_unique<NetworkSampler>(proc);
  if (name == "filesystems") return std::make_unique<FilesystemSampler>(proc);
  return make_file_sampler(name, proc);
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
