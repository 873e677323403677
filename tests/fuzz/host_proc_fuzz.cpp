// SPDX-License-Identifier: Apache-2.0
// The files of /proc that host samplers read. What a container shows there may be anybody's work.
#include <cmath>
#include <initializer_list>
#include <set>
#include <string>

#include "collectors/host/boot.h"
#include "collectors/host/conntrack.h"
#include "collectors/host/cpu.h"
#include "collectors/host/descriptors.h"
#include "collectors/host/ephemeral_ports.h"
#include "collectors/host/load.h"
#include "collectors/host/memory.h"
#include "collectors/host/mounts.h"
#include "collectors/host/network.h"
#include "collectors/host/oom_kills.h"
#include "collectors/host/paging.h"
#include "collectors/host/pressure.h"
#include "collectors/host/tcp_counters.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

constexpr double CpuTimes::*kModes[] = {&CpuTimes::user,    &CpuTimes::nice,   &CpuTimes::system,
                                        &CpuTimes::idle,    &CpuTimes::iowait, &CpuTimes::irq,
                                        &CpuTimes::softirq, &CpuTimes::steal};

void check_figure(double value) {
  expect(std::isfinite(value) && value >= 0, "a figure is a number and not negative");
}

template <typename T>
void check_error(const Result<T>& result) {
  if (!result) expect(is_printable_line(result.error().message), "a message is a printable line");
}

/// Two readings of the same counters, whatever the second says.
void check_counters(const CpuTimes& first, const CpuTimes& second) {
  CpuCounters counters;
  CpuTimes last = counters.update(first);
  for (const CpuTimes* times : {&second, &first, &second}) {
    const CpuTimes next = counters.update(*times);
    for (const auto mode : kModes) {
      expect(next.*mode >= last.*mode, "CPU time never steps back");
    }
    last = next;
  }
}

void check_cpu(std::string_view first, std::string_view second) {
  const Result<CpuTimes> times = parse_cpu(first, 100);
  const Result<CpuTimes> later = parse_cpu(second, 100);
  check_error(times);
  if (!times) return;
  for (const auto mode : kModes) check_figure((*times).*mode);
  expect(times->cpus <= first.size() / 4, "a processor has a line");
  if (later) check_counters(*times, *later);
}

void check_memory(std::string_view bytes) {
  const Result<MemoryInfo> memory = parse_memory(bytes);
  check_error(memory);
  if (!memory) return;
  expect(memory->total.has_value(), "memory has a total");
  for (const auto& value : {memory->total, memory->free, memory->available, memory->buffers,
                            memory->cached, memory->swap_total, memory->swap_free}) {
    expect(value.value_or(0) % 1024 == 0, "memory is counted in KiB");
  }
}

void check_load(std::string_view bytes) {
  const Result<LoadAverage> load = parse_load(bytes);
  check_error(load);
  if (!load) return;
  for (const double average : {load->one, load->five, load->fifteen}) check_figure(average);
}

void check_ports(std::string_view bytes) {
  const Result<PortRange> range = parse_port_range(bytes);
  check_error(range);
  if (range) expect(range->first <= range->last, "a range goes upwards");
  check_error(parse_port_list(bytes));
}

void check_network(std::string_view bytes) {
  const Result<Interfaces> interfaces = parse_interfaces(bytes);
  check_error(interfaces);
  if (!interfaces) return;
  const Network network = choose_interfaces(*interfaces, {});
  expect(network.interfaces.size() <= 64, "interfaces are bounded");
  for (const auto& [name, counters] : network.interfaces) {
    expect(is_printable_line(name), "an interface's name is printable");
  }
}

void check_mounts(std::string_view bytes) {
  const Result<Mounts> mounts = parse_mounts(bytes, {});
  check_error(mounts);
  if (!mounts) return;
  expect(mounts->shown.size() <= 64, "filesystems are bounded");
  std::set<std::string> points;
  for (const Mount& mount : mounts->shown) {
    expect(points.insert(mount.point).second, "a mount point is there once");
  }
}

void check_descriptors(std::string_view bytes) {
  check_error(parse_descriptors(bytes));
  check_error(parse_paging(bytes, 4096));
  check_error(parse_boot_time(bytes));
}

void check_pressure(std::string_view bytes) {
  const Result<Pressure> pressure = parse_pressure(bytes);
  check_error(pressure);
  if (!pressure) return;
  expect(pressure->waiting.has_value(), "pressure has \"some\"");
  check_figure(*pressure->waiting);
  check_figure(pressure->stalled.value_or(0));
}

}  // namespace

void host_proc(std::string_view bytes) {
  const std::size_t half = std::min(bytes.find('\f'), bytes.size());
  check_cpu(bytes.substr(0, half), bytes.substr(half));
  check_memory(bytes);
  check_load(bytes);
  check_pressure(bytes);
  check_error(parse_oom_kills(bytes));
  check_ports(bytes);
  check_network(bytes);
  check_mounts(bytes);
  check_descriptors(bytes);
  check_error(parse_tcp_counters(bytes, bytes));
  check_error(parse_conntrack(bytes.substr(0, half), bytes.substr(half)));
}

}  // namespace ua::fuzz
