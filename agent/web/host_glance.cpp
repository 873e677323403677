// SPDX-License-Identifier: Apache-2.0
#include "agent/web/host_glance.h"

namespace ua {
namespace {

std::optional<double> used_ratio(const std::optional<std::uint64_t>& total,
                                 const std::optional<std::uint64_t>& free) {
  if (!total || !free || *total == 0) return std::nullopt;
  return 1 - static_cast<double>(*free) / static_cast<double>(*total);
}

std::optional<FullestQueue> fullest_queue(const std::map<std::uint16_t, ListenQueue>& queues) {
  std::optional<FullestQueue> result;
  const auto share = [](std::uint64_t length, std::uint64_t limit) {
    return static_cast<double>(length) / static_cast<double>(limit);
  };
  for (const auto& [port, queue] : queues) {
    const std::uint64_t limit = queue.limit.value_or(0);
    if (queue.length == 0 || limit == 0) continue;
    if (!result || share(queue.length, limit) > share(result->length, result->limit)) {
      result = FullestQueue{port, queue.length, limit};
    }
  }
  return result;
}

std::optional<double> part(std::uint64_t used, std::uint64_t all) {
  if (all == 0) return std::nullopt;
  return static_cast<double>(used) / static_cast<double>(all);
}

/// What is kept for root counts as used, as in df.
std::optional<FullestFilesystem> fullest_filesystem(const Filesystems& filesystems) {
  std::optional<FullestFilesystem> result;
  for (const auto& [mount, usage] : filesystems.mounts) {
    if (usage.size == 0 || usage.read_only) continue;
    const double used = 1 - static_cast<double>(usage.available) / static_cast<double>(usage.size);
    if (!result || used > result->used_ratio) result = FullestFilesystem{mount, used};
  }
  return result;
}

void add_limits(const HostSnapshot& snapshot, HostGlance& into) {
  if (snapshot.tcp) into.listen_overflows = snapshot.tcp->listen_overflows;
  if (snapshot.ports) {
    const EphemeralPorts& ports = *snapshot.ports;
    into.ports_used_ratio = part(ports.busiest_destination.value_or(ports.used), ports.available);
  }
  if (snapshot.conntrack) {
    into.conntrack_used_ratio = part(snapshot.conntrack->entries, snapshot.conntrack->limit);
  }
  if (snapshot.descriptors) {
    into.descriptors_used_ratio =
        part(snapshot.descriptors->allocated, snapshot.descriptors->maximum);
  }
  if (snapshot.filesystems) into.fullest_filesystem = fullest_filesystem(*snapshot.filesystems);
}

}  // namespace

HostGlance host_glance(const HostSnapshot& snapshot) {
  HostGlance result;
  if (snapshot.cpu) result.cpus = snapshot.cpu->cpus;
  result.cpu_busy_ratio = snapshot.cpu_busy_ratio;
  if (snapshot.load) result.load1 = snapshot.load->one;
  if (snapshot.memory) {
    result.memory_used_ratio = used_ratio(snapshot.memory->total, snapshot.memory->available);
    result.swap_used_ratio = used_ratio(snapshot.memory->swap_total, snapshot.memory->swap_free);
  }
  if (snapshot.connections) {
    const auto in_state = [&](TcpState state) {
      return snapshot.connections->by_state[static_cast<std::size_t>(state)];
    };
    result.established = in_state(TcpState::established);
    result.time_wait = in_state(TcpState::time_wait);
    result.listening = in_state(TcpState::listen);
    result.fullest_queue = fullest_queue(snapshot.connections->queues);
  }
  add_limits(snapshot, result);
  return result;
}

}  // namespace ua
