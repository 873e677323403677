// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/host_metrics.h"

#include <map>

#include "tests/catch.h"

using namespace ua;

namespace {

using Type = prometheus::MetricType;

std::string text_of(const std::vector<prometheus::ClientMetric::Label>& labels) {
  std::string result;
  for (const auto& label : labels) result += " " + label.name + "=" + label.value;
  return result;
}

/// "name label=value" -> value; no series may be there twice.
std::map<std::string, double> values(const std::vector<prometheus::MetricFamily>& families) {
  std::map<std::string, double> result;
  for (const auto& family : families) {
    for (const auto& metric : family.metric) {
      const std::string key = family.name + text_of(metric.label);
      const double value = family.type == Type::Counter ? metric.counter.value : metric.gauge.value;
      CHECK(result.emplace(key, value).second);
    }
  }
  return result;
}

std::map<std::string, Type> types(const std::vector<prometheus::MetricFamily>& families) {
  std::map<std::string, Type> result;
  for (const auto& family : families) {
    CHECK_FALSE(family.help.empty());
    CHECK(result.emplace(family.name, family.type).second);
  }
  return result;
}

std::size_t at(TcpState state) { return static_cast<std::size_t>(state); }

HostSnapshot whole_host() {
  HostSnapshot host;
  host.cpu = CpuTimes{1, 2, 3, 4, 5, 6, 7, 8, 16};
  host.load = LoadAverage{0.5, 0.6, 0.7};
  host.memory = MemoryInfo{1000, 200, 300, 40, 50, 0, 0};
  host.pressure["cpu"] = Pressure{1.5, std::nullopt};
  host.pressure["io"] = Pressure{2.5, 0.5};
  host.oom_kills = 3;
  TcpConnections& tcp = host.connections.emplace();
  tcp.by_state[at(TcpState::established)] = 7;
  tcp.by_state[at(TcpState::time_wait)] = 9;
  tcp.by_port[8080][at(TcpState::close_wait)] = 2;
  tcp.queues[8080] = ListenQueue{5, 128};
  tcp.queues[9090] = ListenQueue{1, std::nullopt};
  host.runs = {{"cpu", true, 1500us, ""}, {"memory", false, 2ms, "gone"}};
  return host;
}

}  // namespace

TEST_CASE("the host's series have the names and types of the contract") {
  CHECK(types(host_families(whole_host())) ==
        std::map<std::string, Type>{
            {"host_cpu_seconds_total", Type::Counter},
            {"host_cpus", Type::Gauge},
            {"host_load1", Type::Gauge},
            {"host_load5", Type::Gauge},
            {"host_load15", Type::Gauge},
            {"host_memory_total_bytes", Type::Gauge},
            {"host_memory_free_bytes", Type::Gauge},
            {"host_memory_available_bytes", Type::Gauge},
            {"host_memory_buffers_bytes", Type::Gauge},
            {"host_memory_cached_bytes", Type::Gauge},
            {"host_memory_swap_total_bytes", Type::Gauge},
            {"host_memory_swap_free_bytes", Type::Gauge},
            {"host_pressure_waiting_seconds_total", Type::Counter},
            {"host_pressure_stalled_seconds_total", Type::Counter},
            {"host_oom_kills_total", Type::Counter},
            {"host_tcp_connections", Type::Gauge},
            {"host_tcp_port_connections", Type::Gauge},
            {"host_listen_queue_length", Type::Gauge},
            {"host_listen_queue_limit", Type::Gauge},
            {"upstream_agent_collector_success", Type::Gauge},
            {"upstream_agent_collector_duration_seconds", Type::Gauge},
        });
}

TEST_CASE("the host's series have the values of the snapshot") {
  const auto found = values(host_families(whole_host()));
  const std::vector<std::pair<const char*, double>> expected{
      {"host_cpu_seconds_total mode=user", 1},
      {"host_cpu_seconds_total mode=nice", 2},
      {"host_cpu_seconds_total mode=system", 3},
      {"host_cpu_seconds_total mode=idle", 4},
      {"host_cpu_seconds_total mode=iowait", 5},
      {"host_cpu_seconds_total mode=irq", 6},
      {"host_cpu_seconds_total mode=softirq", 7},
      {"host_cpu_seconds_total mode=steal", 8},
      {"host_cpus", 16},
      {"host_load1", 0.5},
      {"host_load5", 0.6},
      {"host_load15", 0.7},
      {"host_memory_total_bytes", 1000},
      {"host_memory_free_bytes", 200},
      {"host_memory_available_bytes", 300},
      {"host_memory_buffers_bytes", 40},
      {"host_memory_cached_bytes", 50},
      {"host_memory_swap_total_bytes", 0},
      {"host_memory_swap_free_bytes", 0},
      {"host_pressure_waiting_seconds_total resource=cpu", 1.5},
      {"host_pressure_waiting_seconds_total resource=io", 2.5},
      {"host_pressure_stalled_seconds_total resource=io", 0.5},
      {"host_oom_kills_total", 3},
      {"host_tcp_connections state=established", 7},
      {"host_tcp_connections state=time_wait", 9},
      {"host_tcp_connections state=syn_recv", 0},
      {"host_tcp_port_connections port=8080 state=close_wait", 2},
      {"host_tcp_port_connections port=8080 state=established", 0},
      {"host_tcp_port_connections port=8080 state=listen", 0},
      {"host_listen_queue_length port=8080", 5},
      {"host_listen_queue_limit port=8080", 128},
      {"host_listen_queue_length port=9090", 1},
      {"upstream_agent_collector_success collector=cpu", 1},
      {"upstream_agent_collector_success collector=memory", 0},
      {"upstream_agent_collector_duration_seconds collector=cpu", 0.0015},
      {"upstream_agent_collector_duration_seconds collector=memory", 0.002},
  };
  for (const auto& [name, value] : expected) {
    INFO(name);
    REQUIRE(found.contains(name));
    CHECK(found.at(name) == value);
  }
  CHECK_FALSE(found.contains("host_pressure_stalled_seconds_total resource=cpu"));
  CHECK_FALSE(found.contains("host_listen_queue_limit port=9090"));
  CHECK_FALSE(found.contains("host_tcp_port_connections port=8080 state=syn_sent"));
}

TEST_CASE("what was not sampled has no series") {
  HostSnapshot nothing;
  nothing.runs = {{"cpu", false, 1ms, "gone"}};
  CHECK(values(host_families(nothing)).size() == 2);  // success and duration
  HostSnapshot memory;
  memory.memory.emplace().total = 5;
  CHECK(values(host_families(memory)).size() == 1);
}

TEST_CASE("before the first sample there is nothing to collect") {
  CHECK(HostMetrics([] { return nullptr; }).Collect().empty());
}
