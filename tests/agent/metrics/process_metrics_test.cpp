// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/process_metrics.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <cmath>
#include <map>
#include <string>

#include "collectors/core/unique_fd.h"
#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("stat is read from behind the command, which may hold anything") {
  ProcessFacts facts;
  parse_process_stat(
      "42 (a) R 7 (b) S 1 42 42 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 9 0 12345 1000000 256 "
      "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
      100, 4096, facts);
  CHECK(facts.cpu_seconds == 4.0);
  CHECK(facts.threads == 9);
  CHECK(facts.virtual_bytes == 1000000);
  CHECK(facts.resident_bytes == 256 * 4096);
}

TEST_CASE("a file cut short leaves values absent") {
  ProcessFacts facts;
  parse_process_stat("", 100, 4096, facts);
  parse_process_stat("42 (a) S 1 2 3", 100, 4096, facts);
  parse_process_status("VmData:", facts);
  parse_process_limits("Max open files", facts);
  parse_process_net_dev("eth0: 1 2 3", facts);
  CHECK_FALSE(facts.cpu_seconds);
  CHECK_FALSE(facts.resident_bytes);
  CHECK_FALSE(facts.heap_bytes);
  CHECK_FALSE(facts.max_fds);
  CHECK_FALSE(facts.network_rx_bytes);
}

TEST_CASE("limits are the soft ones, unlimited is infinite") {
  ProcessFacts facts;
  parse_process_limits(
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max open files            1024                 524288               files     \n"
      "Max address space         unlimited            unlimited            bytes     \n",
      facts);
  CHECK(facts.max_fds == 1024);
  REQUIRE(facts.virtual_max_bytes);
  CHECK(std::isinf(*facts.virtual_max_bytes));
}

TEST_CASE("status gives the heap, net/dev the sum of all interfaces") {
  ProcessFacts facts;
  parse_process_status("VmPeak:\t   10 kB\nVmData:\t    2048 kB\nVmStk:\t 132 kB\n", facts);
  CHECK(facts.heap_bytes == 2048 * 1024);
  parse_process_net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
      "    lo:     100       1    0    0    0     0          0         0      100       1 0 0 0\n"
      "  eth0:1000 9 0 0 0 0 0 0 2000 8 0 0 0 0 0 0\n",
      facts);
  CHECK(facts.network_rx_bytes == 1100);
  CHECK(facts.network_tx_bytes == 2100);
}

TEST_CASE("this process has every series") {
  const ProcessMetrics metrics(WallTime{1000s});
  std::map<std::string, double> values;
  for (const auto& family : metrics.Collect()) {
    values[family.name] = family.metric.at(0).gauge.value;
  }
  CHECK(values.size() == 11);
  for (const char* name :
       {"process_cpu_seconds_total", "process_heap_bytes", "process_max_fds",
        "process_network_receive_bytes_total", "process_network_transmit_bytes_total",
        "process_open_fds", "process_resident_memory_bytes", "process_start_time_seconds",
        "process_threads", "process_virtual_memory_bytes", "process_virtual_memory_max_bytes"}) {
    CAPTURE(name);
    CHECK(values.contains(name));
  }
  CHECK(values["process_start_time_seconds"] == 1000);
}

TEST_CASE("descriptors are counted and their limit is this process's") {
  const auto before = read_process().open_fds;
  const UniqueFd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd two(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  REQUIRE(before);
  CHECK(read_process().open_fds == *before + 2);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  CHECK(read_process().max_fds == static_cast<double>(limit.rlim_cur));
}

TEST_CASE("without /proc only the start time is left") {
  const ProcessMetrics metrics(WallTime{1000s}, "/nonexistent");
  const auto families = metrics.Collect();
  REQUIRE(families.size() == 1);
  CHECK(families[0].name == "process_start_time_seconds");
}

}  // namespace
}  // namespace ua
