// SPDX-License-Identifier: Apache-2.0
// CPU of one HTTP probe, as the agent does it (ProbeRun and the http probe), beside the least that
// any client can spend: a raw epoll client with seven system calls. Needs a server on PORT of every
// 127.0.0.0/8 address that answers 200; tests/bench/run starts nginx and pins both to one core.
// With TARGETS and "agent" or "raw" it does kProbes with that client alone, for perf, strace -c and
// callgrind.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/epoll_loop.h"
#include "collectors/probes/http/http_probe.h"
#include "collectors/probes/probe_run.h"
#include "tests/bench/report.h"

namespace ua::bench {
namespace {

constexpr std::size_t kConcurrency = 64;
constexpr std::size_t kProbes = 20'000;
constexpr int kRepeats = 7;
constexpr double kGoal = 2.3;  // times the raw client's

/// The i-th of many distinct loopback addresses.
std::string address(std::size_t i) {
  return "127." + std::to_string(1 + i / 40'000) + '.' + std::to_string(i / 200 % 200) + '.' +
         std::to_string(1 + i % 200);
}

struct Cpu {
  double user = 0;    // microseconds
  double system = 0;  // microseconds
  double total() const { return user + system; }
};

Cpu cpu_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return {microseconds(usage.ru_utime), microseconds(usage.ru_stime)};
}

/// What one probe cost while `work` did kProbes of them.
template <typename Work>
Cpu per_probe(Work&& work) {
  const Cpu before = cpu_now();
  work();
  const Cpu after = cpu_now();
  return {(after.user - before.user) / kProbes, (after.system - before.system) / kProbes};
}

/// The floor: socket, connect, epoll_ctl, send, recv, close and a share of epoll_wait.
class RawClient {
 public:
  RawClient(std::size_t targets, std::uint16_t port) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < targets; ++i) {
      const std::string host = address(i);
      sockaddr_in peer{};
      peer.sin_family = AF_INET;
      peer.sin_port = htons(port);
      inet_pton(AF_INET, host.c_str(), &peer.sin_addr);
      peers_.push_back(peer);
      requests_.push_back("GET / HTTP/1.1\r\nHost: " + host + ':' + std::to_string(port) +
                          "\r\nUser-Agent: upstream-agent/" UA_VERSION
                          "\r\nConnection: close\r\nAccept: */*\r\n\r\n");
    }
  }

  void run() {
    started_ = finished_ = 0;
    while (started_ < kConcurrency) start();
    std::array<epoll_event, 256> events;
    while (finished_ < kProbes) {
      const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 5000);
      if (count <= 0) throw std::runtime_error("the server does not answer the raw client");
      for (int i = 0; i < count; ++i) step(events[static_cast<std::size_t>(i)]);
    }
  }

 private:
  void start() {
    const std::size_t target = started_++ % peers_.size();
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::runtime_error("no descriptor for the raw client");
    [[maybe_unused]] const int pending =
        connect(fd, reinterpret_cast<const sockaddr*>(&peers_[target]), sizeof peers_[target]);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = static_cast<std::uint64_t>(target) << 32U | static_cast<std::uint32_t>(fd);
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void step(const epoll_event& event) {
    const std::uint64_t data = event.data.u64;
    const int fd = static_cast<int>(data & 0xffffffffU);
    if ((event.events & EPOLLIN) == 0) {
      const std::string& request = requests_[data >> 32U];
      if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size())) {
        throw std::runtime_error("the raw client could not send");
      }
      return;
    }
    std::array<char, 4096> buffer;
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 || !std::string_view(buffer.data(), static_cast<std::size_t>(size))
                         .starts_with("HTTP/1.1 200")) {
      throw std::runtime_error("the raw client got no 200");
    }
    close(fd);
    ++finished_;
    if (started_ < kProbes) start();
  }

  UniqueFd epoll_;
  std::vector<sockaddr_in> peers_;
  std::vector<std::string> requests_;
  std::size_t started_ = 0;
  std::size_t finished_ = 0;
};

/// The agent's own way, everything but schedule and series.
class AgentClient {
 public:
  AgentClient(std::size_t targets, std::uint16_t port)
      : engine_(loop_), make_(make_http_maker({}, {})), slots_(kConcurrency) {
    for (std::size_t i = 0; i < targets; ++i) {
      targets_.push_back(
          parse_target("http://" + address(i) + ':' + std::to_string(port) + '/').value());
    }
  }

  void run() {
    started_ = finished_ = 0;
    for (std::size_t slot = 0; slot < kConcurrency; ++slot) start(slot);
    loop_.run();
    if (failed_) throw std::runtime_error("a probe failed: " + failure_);
  }

 private:
  void start(std::size_t slot) {
    const Target& target = targets_[started_++ % targets_.size()];
    slots_[slot] = std::make_unique<ProbeRun>(engine_, target, make_, RunOptions{});
    slots_[slot]->start([this, slot](const std::vector<Outcome>& outcomes) {
      if (outcomes.at(0).error != ErrorClass::none || outcomes.at(0).http->status_code != 200) {
        failed_ = true;
        failure_ = std::string(name(outcomes.at(0).error)) + ' ' + outcomes.at(0).detail;
      }
      if (++finished_ == kProbes || failed_) return loop_.stop();
      if (started_ < kProbes) start(slot);
    });
  }

  EpollLoop loop_;
  ProbeEngine engine_;
  ProbeMaker make_;
  std::vector<Target> targets_;
  std::vector<std::unique_ptr<ProbeRun>> slots_;
  std::size_t started_ = 0;
  std::size_t finished_ = 0;
  bool failed_ = false;
  std::string failure_;
};

double total_of(const std::vector<Cpu>& runs, double (*part)(const Cpu&)) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const Cpu& run : runs) values.push_back(part(run));
  return median(std::move(values));
}

void compare(std::size_t targets, std::uint16_t port) {
  RawClient raw(targets, port);
  AgentClient agent(targets, port);
  raw.run();  // neighbours, memory and caches are warm
  agent.run();
  std::vector<Cpu> raw_runs;
  std::vector<Cpu> agent_runs;
  std::vector<double> ratios;
  for (int i = 0; i < kRepeats; ++i) {
    raw_runs.push_back(per_probe([&] { raw.run(); }));
    agent_runs.push_back(per_probe([&] { agent.run(); }));
    ratios.push_back(agent_runs.back().total() / raw_runs.back().total());
  }
  const std::string at = " at " + std::to_string(targets) + " targets";
  const auto total = [](const Cpu& cpu) { return cpu.total(); };
  report("raw epoll client" + at, total_of(raw_runs, total), "us CPU/probe", 0);
  report("http probe" + at, total_of(agent_runs, total), "us CPU/probe", 0);
  report("  of it user" + at, total_of(agent_runs, [](const Cpu& cpu) { return cpu.user; }),
         "us CPU/probe", 0);
  report("http probe / raw" + at, median(ratios), "x", kGoal);
}

}  // namespace
}  // namespace ua::bench

namespace {

int run(const std::vector<std::string>& arguments) {
  const auto number = [&](std::size_t i) {
    std::size_t value = 0;
    if (arguments.size() > i) {
      const std::string& text = arguments[i];
      std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return value;
  };
  const auto port = static_cast<std::uint16_t>(number(0));
  if (port == 0) {
    std::fprintf(stderr, "usage: probe_bench PORT [TARGETS agent|raw]\n");
    return 2;
  }
  if (arguments.size() == 3) {
    arguments[2] == "raw" ? ua::bench::RawClient(number(1), port).run()
                          : ua::bench::AgentClient(number(1), port).run();
    return 0;
  }
  ua::bench::compare(64, port);
  ua::bench::compare(10'000, port);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "probe_bench: %s\n", error.what());
    return 1;
  }
}
