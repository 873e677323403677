// SPDX-License-Identifier: Apache-2.0
// CPU of one HTTP probe on our real path (ProbeRun) beside a raw epoll client that does the least a
// client can do: socket, connect, send, receive, close. Own CPU only (getrusage), medians of
// interleaved rounds, so that the ratio holds on a noisy machine.
// usage: probe_bench PORT; a server answers on that port of every 127.x.y.z
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "collectors/core/epoll_loop.h"
#include "collectors/probes/http_probe.h"
#include "collectors/probes/probe_run.h"

namespace ua {
namespace {

constexpr std::size_t kProbes = 20'000;
constexpr std::size_t kConcurrency = 64;
constexpr int kRounds = 5;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string host_of(std::size_t i) {
  return "127." + std::to_string(1 + i / 62500) + '.' + std::to_string(i / 250 % 250) + '.' +
         std::to_string(1 + i % 250);
}

class RawClient {
 public:
  RawClient(std::vector<Endpoint> targets) : targets_(std::move(targets)) {}

  std::size_t run() {
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    for (std::size_t i = 0; i < kConcurrency; ++i) open();
    std::array<epoll_event, 64> events;
    while (done_ < kProbes) {
      const int count = epoll_wait(epoll_.get(), events.data(), 64, 1000);
      for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)]);
    }
    return well_;
  }

 private:
  void open() {
    if (started_ == kProbes) return;
    const Endpoint& target = targets_[started_++ % targets_.size()];
    const int fd = socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    [[maybe_unused]] const int pending = connect(fd, target.address(), target.size);
    epoll_event event{};
    event.events = EPOLLOUT | EPOLLIN | EPOLLET;
    event.data.fd = fd;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void on_event(const epoll_event& event) {
    const int fd = event.data.fd;
    static constexpr std::string_view kRequest =
        "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
    if ((event.events & EPOLLIN) == 0) {
      [[maybe_unused]] const auto sent = send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
      return;
    }
    std::array<char, 4096> buffer;
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size > 12 && std::string_view(buffer.data(), 12) == "HTTP/1.1 200") ++well_;
    close(fd);
    ++done_;
    open();
  }

  std::vector<Endpoint> targets_;
  UniqueFd epoll_;
  std::size_t started_ = 0;
  std::size_t done_ = 0;
  std::size_t well_ = 0;
};

class OurClient {
 public:
  explicit OurClient(std::vector<Target> targets)
      : targets_(std::move(targets)), runs_(kConcurrency) {}

  std::size_t run() {
    for (std::size_t slot = 0; slot < kConcurrency; ++slot) open(slot);
    loop_.run();
    return well_;
  }

 private:
  void open(std::size_t slot) {
    if (started_ == kProbes) return;
    const Target& target = targets_[started_++ % targets_.size()];
    runs_[slot] = std::make_unique<ProbeRun>(engine_, target, make_, options_);
    runs_[slot]->start([this, slot](const std::vector<Outcome>& outcomes) {
      if (outcomes[0].success()) ++well_;
      if (++done_ == kProbes) loop_.stop();
      next_[slot] = loop_.after(Duration::zero(), [this, slot] { open(slot); });
    });
  }

  std::vector<Target> targets_;
  EpollLoop loop_;
  ProbeEngine engine_{loop_};
  ProbeMaker make_ = make_http_maker({}, {});
  RunOptions options_;
  std::vector<std::unique_ptr<ProbeRun>> runs_;
  std::array<Timer, kConcurrency> next_;
  std::size_t started_ = 0;
  std::size_t done_ = 0;
  std::size_t well_ = 0;
};

template <typename Client, typename Targets>
double microseconds_a_probe(const Targets& targets) {
  const double before = cpu_seconds();
  Client client(targets);
  const std::size_t well = client.run();
  if (well != kProbes) {
    std::fprintf(stderr, "only %zu of %zu probes were answered\n", well, kProbes);
    std::exit(1);
  }
  return (cpu_seconds() - before) / static_cast<double>(kProbes) * 1e6;
}

void compare(std::size_t count, unsigned short port) {
  std::vector<Endpoint> endpoints;
  std::vector<Target> targets;
  for (std::size_t i = 0; i < count; ++i) {
    endpoints.push_back(*ip_endpoint(host_of(i), port));
    targets.push_back(*parse_target("http://" + host_of(i) + ':' + std::to_string(port) + '/'));
  }
  std::vector<double> raw;
  std::vector<double> ours;
  for (int round = 0; round < kRounds; ++round) {
    raw.push_back(microseconds_a_probe<RawClient>(endpoints));
    ours.push_back(microseconds_a_probe<OurClient>(targets));
  }
  std::sort(raw.begin(), raw.end());
  std::sort(ours.begin(), ours.end());
  const double r = raw[kRounds / 2];
  const double o = ours[kRounds / 2];
  std::printf("http probe, %6zu targets: raw epoll %.1f us, ours %.1f us CPU a probe, ratio %.2f\n",
              count, r, o, o / r);
}

}  // namespace
}  // namespace ua

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: probe_bench PORT\n");
    return 2;
  }
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  ua::compare(64, port);
  ua::compare(10'000, port);
  return 0;
}
