// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/host_metrics.h"

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

void add_runs(Families& families, const std::vector<SamplerRun>& runs) {
  auto& success = gauge(families, "upstream_agent_collector_success",
                        "Whether a collector's last run succeeded.");
  for (const SamplerRun& run : runs) add(success, {{"collector", run.name}}, run.success ? 1 : 0);
  auto& took = gauge(families, "upstream_agent_collector_duration_seconds",
                     "How long a collector's last run took.");
  for (const SamplerRun& run : runs) add(took, {{"collector", run.name}}, to_seconds(run.took));
}

}  // namespace

std::vector<prometheus::MetricFamily> host_families(const HostSnapshot& snapshot) {
  Families families;
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
  if (snapshot.connections) add_connections(families, *snapshot.connections);
  add_runs(families, snapshot.runs);
  return families;
}

}  // namespace ua
