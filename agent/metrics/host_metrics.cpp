// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/host_metrics.h"

#include <array>
#include <initializer_list>
#include <string>
#include <utility>

namespace ua {
namespace {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::initializer_list<std::pair<const char*, std::string>>;

prometheus::MetricFamily& family(Families& families, const char* name, const char* help,
                                 prometheus::MetricType type) {
  prometheus::MetricFamily result;
  result.name = name;
  result.help = help;
  result.type = type;
  families.push_back(std::move(result));
  return families.back();
}

prometheus::MetricFamily& gauge(Families& families, const char* name, const char* help) {
  return family(families, name, help, prometheus::MetricType::Gauge);
}

prometheus::MetricFamily& counter(Families& families, const char* name, const char* help) {
  return family(families, name, help, prometheus::MetricType::Counter);
}

template <typename Number>
void add(prometheus::MetricFamily& family, Labels labels, Number number) {
  const auto value = static_cast<double>(number);
  prometheus::ClientMetric metric;
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

template <typename Struct>
struct CounterRow {
  const char* name;
  const char* help;
  std::optional<std::uint64_t> Struct::*value;
};

/// Those that the kernel tells.
template <typename Struct, std::size_t kCount>
void add_rows(Families& families, const Struct& values,
              const std::array<CounterRow<Struct>, kCount>& rows) {
  for (const auto& row : rows) {
    if (values.*row.value) add(counter(families, row.name, row.help), {}, *(values.*row.value));
  }
}

void add_cpu(Families& families, const CpuTimes& cpu) {
  auto& seconds = counter(families, "host_cpu_seconds_total",
                          "CPU time of all processors since boot, by mode.");
  add(seconds, {{"mode", "user"}}, cpu.user);
  add(seconds, {{"mode", "nice"}}, cpu.nice);
  add(seconds, {{"mode", "system"}}, cpu.system);
  add(seconds, {{"mode", "idle"}}, cpu.idle);
  add(seconds, {{"mode", "iowait"}}, cpu.iowait);
  add(seconds, {{"mode", "irq"}}, cpu.irq);
  add(seconds, {{"mode", "softirq"}}, cpu.softirq);
  add(seconds, {{"mode", "steal"}}, cpu.steal);
  add(gauge(families, "host_cpus", "Processors that are online."), {}, cpu.cpus);
}

void add_memory(Families& families, const MemoryInfo& memory) {
  const auto one = [&](const char* name, const char* help,
                       const std::optional<std::uint64_t>& value) {
    if (value) add(gauge(families, name, help), {}, *value);
  };
  one("host_memory_total_bytes", "Memory of the host.", memory.total);
  one("host_memory_free_bytes", "Memory that nothing uses.", memory.free);
  one("host_memory_available_bytes", "Memory that new work can have without swapping.",
      memory.available);
  one("host_memory_buffers_bytes", "Memory in block device buffers.", memory.buffers);
  one("host_memory_cached_bytes", "Memory in the page cache.", memory.cached);
  one("host_memory_swap_total_bytes", "Swap space.", memory.swap_total);
  one("host_memory_swap_free_bytes", "Swap space that nothing uses.", memory.swap_free);
}

void add_pressure(Families& families, const std::map<std::string, Pressure>& pressure) {
  auto& waiting = counter(families, "host_pressure_waiting_seconds_total",
                          "Time in which some task waited for the resource.");
  for (const auto& [resource, value] : pressure) {
    if (value.waiting) add(waiting, {{"resource", resource}}, *value.waiting);
  }
  auto& stalled = counter(families, "host_pressure_stalled_seconds_total",
                          "Time in which every task waited for the resource.");
  for (const auto& [resource, value] : pressure) {
    if (value.stalled) add(stalled, {{"resource", resource}}, *value.stalled);
  }
}

/// Of one port; the other states only while there are any.
bool always_shown(TcpState state) {
  return state == TcpState::established || state == TcpState::listen;
}

void add_states(prometheus::MetricFamily& family, const StateCounts& counts,
                const std::optional<std::string>& port) {
  for (std::size_t i = 1; i <= kTcpStateCount; ++i) {
    const std::string state(name(static_cast<TcpState>(i)));
    if (!port) {
      add(family, {{"state", state}}, counts[i]);
    } else if (counts[i] > 0 || always_shown(static_cast<TcpState>(i))) {
      add(family, {{"port", *port}, {"state", state}}, counts[i]);
    }
  }
}

void add_connections(Families& families, const TcpConnections& tcp) {
  add_states(gauge(families, "host_tcp_connections", "TCP sockets of the host, by state."),
             tcp.by_state, std::nullopt);
  auto& ports = gauge(families, "host_tcp_port_connections",
                      "TCP sockets whose local port is listened on, by state.");
  for (const auto& [port, counts] : tcp.by_port) add_states(ports, counts, std::to_string(port));
  auto& length = gauge(families, "host_listen_queue_length",
                       "Connections that wait to be accepted on a port.");
  for (const auto& [port, queue] : tcp.queues) {
    add(length, {{"port", std::to_string(port)}}, queue.length);
  }
  auto& limit = gauge(families, "host_listen_queue_limit",
                      "The most connections that may wait to be accepted on a port.");
  for (const auto& [port, queue] : tcp.queues) {
    if (queue.limit) add(limit, {{"port", std::to_string(port)}}, *queue.limit);
  }
}

void add_tcp(Families& families, const TcpCounters& tcp) {
  static constexpr std::array<CounterRow<TcpCounters>, 9> kRows{{
      {"host_tcp_opened_connections_total", "Connections that this host began to open.",
       &TcpCounters::opened},
      {"host_tcp_accepted_connections_total", "Connections that others opened to this host.",
       &TcpCounters::accepted},
      {"host_tcp_failed_connections_total",
       "Connections that failed before they were established, from either side.",
       &TcpCounters::failed},
      {"host_tcp_established_resets_total",
       "Established connections that ended at once: by a reset of either side, or given up.",
       &TcpCounters::established_resets},
      {"host_tcp_sent_resets_total", "Resets that this host sent.", &TcpCounters::sent_resets},
      {"host_tcp_sent_segments_total", "Segments sent, without those sent again.",
       &TcpCounters::sent_segments},
      {"host_tcp_retransmitted_segments_total", "Segments sent again.",
       &TcpCounters::retransmitted_segments},
      {"host_tcp_listen_overflows_total",
       "Connections not taken because a listener's queue was full, each try counted.",
       &TcpCounters::listen_overflows},
      {"host_tcp_listen_drops_total",
       "Connections not taken by a listener for any reason, overflows included.",
       &TcpCounters::listen_drops},
  }};
  add_rows(families, tcp, kRows);
}

void add_ports(Families& families, const EphemeralPorts& ports) {
  add(gauge(families, "host_tcp_ephemeral_ports_used",
            "Ports for outgoing connections that some socket holds, time_wait included."),
      {}, ports.used);
  add(gauge(families, "host_tcp_ephemeral_ports_available",
            "Ports that the kernel may give to outgoing connections, used ones included."),
      {}, ports.available);
  if (!ports.busiest_destination) return;
  add(gauge(families, "host_tcp_ephemeral_ports_busiest_destination",
            "Ports held towards the one remote address and port that has most."),
      {}, *ports.busiest_destination);
}

void add_conntrack(Families& families, const Conntrack& conntrack) {
  add(gauge(families, "host_conntrack_entries", "Connections that the kernel's firewall tracks."),
      {}, conntrack.entries);
  if (conntrack.limit == 0) return;  // a share of it would be infinite
  add(gauge(families, "host_conntrack_limit", "The most connections that it can track."), {},
      conntrack.limit);
}

void add_descriptors(Families& families, const FileDescriptors& descriptors) {
  add(gauge(families, "host_file_descriptors_allocated", "Open files of the whole host."), {},
      descriptors.allocated);
  add(gauge(families, "host_file_descriptors_maximum", "The most files that may be open."), {},
      descriptors.maximum);
}

void add_paging(Families& families, const Paging& paging) {
  static constexpr std::array<CounterRow<Paging>, 3> kRows{{
      {"host_memory_swapped_in_bytes_total", "Memory read back from swap.",
       &Paging::swapped_in_bytes},
      {"host_memory_swapped_out_bytes_total", "Memory written to swap.",
       &Paging::swapped_out_bytes},
      {"host_memory_major_faults_total", "Page faults that had to wait for a disk.",
       &Paging::major_faults},
  }};
  add_rows(families, paging, kRows);
}

void add_network(Families& families, const Network& network) {
  struct Row {
    const char* name;
    const char* help;
    InterfaceCounters Interface::*direction;
    std::uint64_t InterfaceCounters::*value;
  };
  using Counters = InterfaceCounters;
  static constexpr std::array<Row, 8> kRows{{
      {"host_network_receive_bytes_total", "Bytes received.", &Interface::received,
       &Counters::bytes},
      {"host_network_receive_packets_total", "Packets received.", &Interface::received,
       &Counters::packets},
      {"host_network_receive_errors_total", "Packets received damaged, or not at all.",
       &Interface::received, &Counters::errors},
      {"host_network_receive_drops_total", "Packets received and dropped.", &Interface::received,
       &Counters::drops},
      {"host_network_transmit_bytes_total", "Bytes sent.", &Interface::sent, &Counters::bytes},
      {"host_network_transmit_packets_total", "Packets sent.", &Interface::sent,
       &Counters::packets},
      {"host_network_transmit_errors_total", "Packets that could not be sent.", &Interface::sent,
       &Counters::errors},
      {"host_network_transmit_drops_total", "Packets dropped instead of sent.", &Interface::sent,
       &Counters::drops},
  }};
  for (const Row& row : kRows) {
    auto& one = counter(families, row.name, row.help);
    for (const auto& [interface, counters] : network.interfaces) {
      add(one, {{"interface", interface}}, counters.*row.direction.*row.value);
    }
  }
  add(gauge(families, "host_network_interfaces_left_out",
            "Interfaces without series: those of containers, and those beyond 64."),
      {}, network.left_out);
}

void add_filesystems(Families& families, const Filesystems& filesystems) {
  const auto one = [&](const char* name, const char* help, const auto& value_of) {
    auto& all = gauge(families, name, help);
    for (const auto& [mount, usage] : filesystems.mounts) {
      const std::optional<std::uint64_t> value = value_of(usage);
      if (!value) continue;
      add(all, {{"device", usage.device}, {"fstype", usage.type}, {"mountpoint", mount}}, *value);
    }
  };
  using Usage = FilesystemUsage;
  const auto inodes = [](const Usage& usage, std::uint64_t value) {
    return usage.inodes == 0 ? std::nullopt : std::optional(value);
  };
  one("host_filesystem_size_bytes", "Size of a filesystem.", [](const Usage& u) { return u.size; });
  one("host_filesystem_available_bytes", "Space that users other than root can have.",
      [](const Usage& u) { return u.available; });
  one("host_filesystem_inodes", "Files that the filesystem can hold.",
      [&](const Usage& u) { return inodes(u, u.inodes); });
  one("host_filesystem_inodes_free", "Files that it can still take.",
      [&](const Usage& u) { return inodes(u, u.inodes_free); });
  one("host_filesystem_read_only", "Whether it takes no writes, as after an error of the disk.",
      [](const Usage& u) { return std::uint64_t{u.read_only}; });
  add(gauge(families, "host_filesystems_left_out", "Filesystems without series: beyond 64."), {},
      filesystems.left_out);
}

void add_runs(Families& families, const std::vector<SamplerRun>& runs) {
  auto& success = gauge(families, "upstream_agent_collector_success",
                        "Whether a collector's last run succeeded.");
  for (const SamplerRun& run : runs) add(success, {{"collector", run.name}}, run.success ? 1 : 0);
  auto& took = gauge(families, "upstream_agent_collector_duration_seconds",
                     "How long a collector's last run took.");
  for (const SamplerRun& run : runs) add(took, {{"collector", run.name}}, to_seconds(run.took));
}

/// Processors, memory and what waits for them.
void add_machine(Families& families, const HostSnapshot& snapshot) {
  if (snapshot.cpu) add_cpu(families, *snapshot.cpu);
  if (snapshot.load) {
    add(gauge(families, "host_load1", "Load average over one minute."), {}, snapshot.load->one);
    add(gauge(families, "host_load5", "Load average over five minutes."), {}, snapshot.load->five);
    add(gauge(families, "host_load15", "Load average over 15 minutes."), {},
        snapshot.load->fifteen);
  }
  if (snapshot.memory) add_memory(families, *snapshot.memory);
  if (!snapshot.pressure.empty()) add_pressure(families, snapshot.pressure);
  if (snapshot.oom_kills) {
    add(counter(families, "host_oom_kills_total", "Processes that the kernel killed for memory."),
        {}, *snapshot.oom_kills);
  }
  if (snapshot.paging) add_paging(families, *snapshot.paging);
  if (snapshot.descriptors) add_descriptors(families, *snapshot.descriptors);
  if (snapshot.filesystems) add_filesystems(families, *snapshot.filesystems);
  if (snapshot.boot_time) {
    add(gauge(families, "host_boot_timestamp_seconds", "When the host started."), {},
        *snapshot.boot_time);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> host_families(const HostSnapshot& snapshot) {
  Families families;
  add_machine(families, snapshot);
  if (snapshot.connections) add_connections(families, *snapshot.connections);
  if (snapshot.tcp) add_tcp(families, *snapshot.tcp);
  if (snapshot.ports) add_ports(families, *snapshot.ports);
  if (snapshot.conntrack) add_conntrack(families, *snapshot.conntrack);
  if (snapshot.network) add_network(families, *snapshot.network);
  add_runs(families, snapshot.runs);
  return families;
}

}  // namespace ua
