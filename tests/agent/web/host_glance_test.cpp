// SPDX-License-Identifier: Apache-2.0
#include "agent/web/host_glance.h"

#include "collectors/host/cpu.h"
#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("what was not sampled is not shown") {
  const HostGlance glance = host_glance({});
  CHECK_FALSE(glance.cpus);
  CHECK_FALSE(glance.cpu_busy_ratio);
  CHECK_FALSE(glance.load1);
  CHECK_FALSE(glance.memory_used_ratio);
  CHECK_FALSE(glance.swap_used_ratio);
  CHECK_FALSE(glance.established);
  CHECK_FALSE(glance.fullest_queue);
}

TEST_CASE("memory is used where new work cannot have it") {
  HostSnapshot snapshot;
  snapshot.memory.emplace();
  snapshot.memory->total = 1000;
  snapshot.memory->free = 100;
  snapshot.memory->available = 250;
  snapshot.memory->swap_total = 0;
  snapshot.memory->swap_free = 0;
  CHECK(host_glance(snapshot).memory_used_ratio == 0.75);
  CHECK_FALSE(host_glance(snapshot).swap_used_ratio);  // there is none
  snapshot.memory->swap_total = 400;
  snapshot.memory->swap_free = 300;
  CHECK(host_glance(snapshot).swap_used_ratio == 0.25);
}

TEST_CASE("the fullest listen queue is the one with the least room, by its share") {
  HostSnapshot snapshot;
  snapshot.connections.emplace();
  auto& connections = *snapshot.connections;
  connections.by_state[static_cast<std::size_t>(TcpState::established)] = 7;
  connections.by_state[static_cast<std::size_t>(TcpState::time_wait)] = 8;
  connections.by_state[static_cast<std::size_t>(TcpState::listen)] = 9;
  connections.queues = {{80, {0, 128}}, {443, {0, std::nullopt}}};
  HostGlance glance = host_glance(snapshot);
  CHECK(glance.established == 7U);
  CHECK(glance.time_wait == 8U);
  CHECK(glance.listening == 9U);
  CHECK_FALSE(glance.fullest_queue);

  connections.queues = {
      {80, {60, 1000}}, {443, {9, std::nullopt}}, {8080, {6, 10}}, {9000, {5, 10}}};
  glance = host_glance(snapshot);
  REQUIRE(glance.fullest_queue);
  CHECK(glance.fullest_queue->port == 8080);
  CHECK(glance.fullest_queue->length == 6);
  CHECK(glance.fullest_queue->limit == 10);
}

TEST_CASE("limits are shown as the share that is used") {
  HostSnapshot snapshot;
  snapshot.tcp.emplace();
  snapshot.tcp->listen_overflows = 5;
  snapshot.ports = EphemeralPorts{1000, 400, 250};
  snapshot.conntrack = Conntrack{10, 40};
  snapshot.descriptors = FileDescriptors{1, 8};
  HostGlance glance = host_glance(snapshot);
  CHECK(glance.listen_overflows == 5U);
  CHECK(glance.ports_used_ratio == 0.25);  // towards one destination: others take the same ports
  CHECK(glance.conntrack_used_ratio == 0.25);
  CHECK(glance.descriptors_used_ratio == 0.125);
  snapshot.ports->busiest_destination.reset();
  snapshot.conntrack->limit = 0;
  glance = host_glance(snapshot);
  CHECK(glance.ports_used_ratio == 0.4);
  CHECK_FALSE(glance.conntrack_used_ratio);
}

TEST_CASE("the fullest filesystem is one that can be written to") {
  HostSnapshot snapshot;
  snapshot.filesystems.emplace();
  auto& mounts = snapshot.filesystems->mounts;
  CHECK_FALSE(host_glance(snapshot).fullest_filesystem);
  mounts["/"].size = 100;
  mounts["/"].available = 75;
  mounts["/image"].size = 100;
  mounts["/image"].read_only = true;
  mounts["/none"].size = 0;
  mounts["/var"].size = 100;
  mounts["/var"].available = 50;
  const auto fullest = host_glance(snapshot).fullest_filesystem;
  REQUIRE(fullest);
  CHECK(fullest->mount == "/var");
  CHECK(fullest->used_ratio == 0.5);
}

TEST_CASE("a processor is busy while it neither idles nor waits for a disk") {
  CpuTimes before;
  before.user = 10;
  before.idle = 100;
  CpuTimes now = before;
  CHECK_FALSE(busy_ratio(before, now));
  now.user += 1;
  now.softirq += 0.5;
  now.idle += 6;
  now.iowait += 0.5;
  CHECK(busy_ratio(before, now) == Approx(1.5 / 8));
}

}  // namespace
}  // namespace ua
