// SPDX-License-Identifier: Apache-2.0
// CPU time of one count of TCP connections by state: as ConnectionSampler does it, by a walk of
// every socket through sock_diag, and by parsing /proc/net/tcp. Needs CAP_SYS_ADMIN for a network
// namespace.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <deque>

#include "collectors/host/connections.h"
#include "collectors/host/proc_net.h"
#include "tests/loopback.h"

namespace {

using namespace ua;

constexpr int kRepeats = 21;
constexpr std::size_t kSpareDescriptors = 64;
constexpr std::size_t kMostPairs = 12'000;  // of the 28 232 ephemeral ports

double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double median_of(const std::function<void()>& work) {
  std::array<double, kRepeats> costs{};
  for (double& cost : costs) {
    const double begin = cpu_milliseconds();
    work();
    cost = cpu_milliseconds() - begin;
  }
  std::nth_element(costs.begin(), costs.begin() + kRepeats / 2, costs.end());
  return costs[kRepeats / 2];
}

struct Costs {
  double sampler = 0, full = 0, proc = 0;
};

Costs measure() {
  Costs result;
  result.sampler = median_of([] {
    HostSnapshot snapshot;
    test::require(ConnectionSampler("/proc/thread-self", {}).sample(snapshot).has_value(),
                  "sample");
  });
  result.full = median_of([] {
    ConnectionCount count({});
    test::require(walk_tcp_sockets({}, [&](const DiagSocket& s) { count.add(s); }).has_value(),
                  "walk");
  });
  result.proc = median_of([] {
    ConnectionCount count({});
    const auto add = [&](const DiagSocket& s) { count.add(s); };
    test::require(walk_proc_tcp("/proc/thread-self/net", add).has_value(), "read");
  });
  return result;
}

void print(const char* what, std::size_t sockets, const Costs& costs) {
  std::printf(
      "%-34s %6zu sockets: sampler %.2f ms, full walk %.2f ms (%.1fx), /proc %.2f ms (%.1fx)\n",
      what, sockets, costs.sampler, costs.full, costs.full / costs.sampler, costs.proc,
      costs.proc / costs.sampler);
}

std::size_t affordable_pairs() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::size_t>((limit.rlim_cur - kSpareDescriptors) / 2, kMostPairs);
}

void run() {
  const std::size_t most = affordable_pairs();
  for (const std::size_t pairs : {std::size_t{135}, most}) {
    std::deque<UniqueFd> sockets;
    auto listener = std::make_unique<test::Listener>(AF_INET, 64);
    for (std::size_t i = 0; i < pairs; ++i) {
      sockets.push_back(listener->connect());
      sockets.push_back(listener->accept());
      test::require(sockets.back().get() >= 0, "accept");
    }
    print("a server (half on its port)", 2 * pairs, measure());
    listener.reset();
    print("a client (nothing listens)", 2 * pairs, measure());
  }
}

}  // namespace

int main() {
  if (ua::test::in_fresh_network(run)) return 0;
  std::puts("skipped: making a network namespace needs CAP_SYS_ADMIN");
}
