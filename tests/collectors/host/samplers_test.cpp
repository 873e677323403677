// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/samplers.h"

#include "collectors/host/connections.h"
#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("cpu times by mode, also of kernels with fewer columns") {
  const auto cpu =
      parse_cpu("cpu  100 20 300 4000 50 6 7 8 90 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nctxt 5\n", 100);
  REQUIRE(cpu);
  CHECK(cpu->user == 1.0);
  CHECK(cpu->idle == 40.0);
  CHECK(cpu->steal == 0.08);
  CHECK(cpu->cpus == 2);
  CHECK(parse_cpu("cpu  1 2 3 4\n", 100)->iowait == 0);
  CHECK_FALSE(parse_cpu("cpu  1 x 3 4 5\n", 100));
  CHECK_FALSE(parse_cpu("intr 1\n", 100));
  CHECK_FALSE(parse_cpu("", 100));
}

TEST_CASE("memory, load, pressure and out-of-memory kills") {
  const auto memory = parse_memory("MemTotal:  1000 kB\nMemFree: 10 kB\nHugePages_Total: 0\n");
  REQUIRE(memory);
  CHECK(memory->total == 1024000u);
  CHECK(memory->free == 10240u);
  CHECK_FALSE(memory->available);
  CHECK_FALSE(parse_memory("MemFree: 10 kB\n"));
  CHECK(parse_load("0.50 1.25 2.00 1/200 999\n")->five == 1.25);
  CHECK_FALSE(parse_load("0.50\n"));
  const auto pressure = parse_pressure(
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0 avg60=0 avg300=0 "
      "total=1000000\n");
  REQUIRE(pressure);
  CHECK(pressure->waiting == 2.5);
  CHECK(pressure->stalled == 1.0);
  CHECK_FALSE(parse_pressure("nonsense\n"));
  CHECK(*parse_oom_kills("pgfault 1\noom_kill 7\n") == 7);
  CHECK_FALSE(parse_oom_kills("pgfault 1\n"));
}

TEST_CASE("a default route of either family, not the kernel's own reject entry") {
  const char* head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n";
  CHECK(has_default_route(std::string(head) + "eth0\t00000000\t0101A8C0\t3\t0\t0\t0\t00000000\t0\n",
                          ""));
  CHECK_FALSE(
      has_default_route(std::string(head) + "eth0\t0001A8C0\t0\t1\t0\t0\t0\t00FFFFFF\t0\n", ""));
  const std::string zero(32, '0');
  CHECK_FALSE(
      has_default_route(head, zero + " 00 " + zero + " 00 " + zero + " ffffffff 1 0 200200 lo\n"));
  CHECK(has_default_route(head, zero + " 00 " + zero + " 00 " + zero + " 00000400 1 0 3 eth0\n"));
}

TEST_CASE("connections are counted by state and, for listened-on ports, by port") {
  ConnectionCount count;
  DiagSocket listener;
  listener.state = TcpState::listen;
  listener.local_port = 80;
  listener.receive_queue = 3;
  listener.send_queue = 128;
  count.add_listener(listener);
  DiagSocket connected;
  connected.state = TcpState::established;
  connected.local_port = 80;
  count.add(connected);
  connected.local_port = 50000;
  count.add(connected);
  const TcpConnections& result = count.result();
  CHECK(result.by_state[static_cast<std::size_t>(TcpState::established)] == 2);
  CHECK(result.by_state[static_cast<std::size_t>(TcpState::listen)] == 1);
  CHECK(result.by_port.at(80)[static_cast<std::size_t>(TcpState::established)] == 1);
  CHECK(result.by_port.size() == 1);
  CHECK(result.queues.at(80).length == 3);
  CHECK(result.queues.at(80).limit == 128);
}

}  // namespace
}  // namespace ua
