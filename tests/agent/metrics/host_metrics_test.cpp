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
  host.tcp = TcpCounters{11, 12, 13, 14, 15, 16, 17, 18, 19};
  host.ports = EphemeralPorts{28232, 120, 100};
  host.conntrack = Conntrack{20, 262144};
  host.descriptors = FileDescriptors{600, 100000};
  host.network.emplace().interfaces["eth0"] = {{21, 22, 23, 24}, {25, 26, 27, 28}};
  host.network->left_out = 3;
  Filesystems& disks = host.filesystems.emplace();
  disks.mounts["/"] = {"/dev/vda", "ext4", 1000, 400, 50, 40, false};
  disks.mounts["/b"] = {"/dev/vdb", "btrfs", 2000, 500, 0, 0, true};
  disks.left_out = 1;
  host.paging = Paging{4096, 8192, 7};
  host.boot_time = 1700000000;
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
            {"host_memory_swapped_in_bytes_total", Type::Counter},
            {"host_memory_swapped_out_bytes_total", Type::Counter},
            {"host_memory_major_faults_total", Type::Counter},
            {"host_file_descriptors_allocated", Type::Gauge},
            {"host_file_descriptors_maximum", Type::Gauge},
            {"host_filesystem_size_bytes", Type::Gauge},
            {"host_filesystem_available_bytes", Type::Gauge},
            {"host_filesystem_inodes", Type::Gauge},
            {"host_filesystem_inodes_free", Type::Gauge},
            {"host_filesystem_read_only", Type::Gauge},
            {"host_filesystems_left_out", Type::Gauge},
            {"host_boot_timestamp_seconds", Type::Gauge},
            {"host_tcp_opened_connections_total", Type::Counter},
            {"host_tcp_accepted_connections_total", Type::Counter},
            {"host_tcp_failed_connections_total", Type::Counter},
            {"host_tcp_established_resets_total", Type::Counter},
            {"host_tcp_sent_resets_total", Type::Counter},
            {"host_tcp_sent_segments_total", Type::Counter},
            {"host_tcp_retransmitted_segments_total", Type::Counter},
            {"host_tcp_listen_overflows_total", Type::Counter},
            {"host_tcp_listen_drops_total", Type::Counter},
            {"host_tcp_ephemeral_ports_used", Type::Gauge},
            {"host_tcp_ephemeral_ports_available", Type::Gauge},
            {"host_tcp_ephemeral_ports_busiest_destination", Type::Gauge},
            {"host_conntrack_entries", Type::Gauge},
            {"host_conntrack_limit", Type::Gauge},
            {"host_network_receive_bytes_total", Type::Counter},
            {"host_network_receive_packets_total", Type::Counter},
            {"host_network_receive_errors_total", Type::Counter},
            {"host_network_receive_drops_total", Type::Counter},
            {"host_network_transmit_bytes_total", Type::Counter},
            {"host_network_transmit_packets_total", Type::Counter},
            {"host_network_transmit_errors_total", Type::Counter},
            {"host_network_transmit_drops_total", Type::Counter},
            {"host_network_interfaces_left_out", Type::Gauge},
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

TEST_CASE("the host's later series have the values of the snapshot") {
  const auto found = values(host_families(whole_host()));
  const std::vector<std::pair<const char*, double>> expected{
      {"host_tcp_opened_connections_total", 11},
      {"host_tcp_accepted_connections_total", 12},
      {"host_tcp_failed_connections_total", 13},
      {"host_tcp_established_resets_total", 14},
      {"host_tcp_sent_resets_total", 15},
      {"host_tcp_sent_segments_total", 16},
      {"host_tcp_retransmitted_segments_total", 17},
      {"host_tcp_listen_overflows_total", 18},
      {"host_tcp_listen_drops_total", 19},
      {"host_tcp_ephemeral_ports_available", 28232},
      {"host_tcp_ephemeral_ports_used", 120},
      {"host_tcp_ephemeral_ports_busiest_destination", 100},
      {"host_conntrack_entries", 20},
      {"host_conntrack_limit", 262144},
      {"host_file_descriptors_allocated", 600},
      {"host_file_descriptors_maximum", 100000},
      {"host_network_receive_bytes_total interface=eth0", 21},
      {"host_network_receive_packets_total interface=eth0", 22},
      {"host_network_receive_errors_total interface=eth0", 23},
      {"host_network_receive_drops_total interface=eth0", 24},
      {"host_network_transmit_bytes_total interface=eth0", 25},
      {"host_network_transmit_packets_total interface=eth0", 26},
      {"host_network_transmit_errors_total interface=eth0", 27},
      {"host_network_transmit_drops_total interface=eth0", 28},
      {"host_network_interfaces_left_out", 3},
      {"host_filesystem_size_bytes device=/dev/vda fstype=ext4 mountpoint=/", 1000},
      {"host_filesystem_available_bytes device=/dev/vda fstype=ext4 mountpoint=/", 400},
      {"host_filesystem_inodes device=/dev/vda fstype=ext4 mountpoint=/", 50},
      {"host_filesystem_inodes_free device=/dev/vda fstype=ext4 mountpoint=/", 40},
      {"host_filesystem_read_only device=/dev/vda fstype=ext4 mountpoint=/", 0},
      {"host_filesystem_read_only device=/dev/vdb fstype=btrfs mountpoint=/b", 1},
      {"host_filesystems_left_out", 1},
      {"host_memory_swapped_in_bytes_total", 4096},
      {"host_memory_swapped_out_bytes_total", 8192},
      {"host_memory_major_faults_total", 7},
      {"host_boot_timestamp_seconds", 1700000000},
  };
  for (const auto& [name, value] : expected) {
    INFO(name);
    REQUIRE(found.contains(name));
    CHECK(found.at(name) == value);
  }
  // btrfs has no fixed number of inodes.
  CHECK_FALSE(found.contains("host_filesystem_inodes device=/dev/vdb fstype=btrfs mountpoint=/b"));
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

TEST_CASE("a table of connections without a limit has none to be near to") {
  HostSnapshot host;
  host.conntrack = Conntrack{20, 0};
  std::vector<std::string> names;
  for (const auto& family : host_families(host)) {
    if (family.name.starts_with("host_")) names.push_back(family.name);
  }
  CHECK(names == std::vector<std::string>{"host_conntrack_entries"});
}
