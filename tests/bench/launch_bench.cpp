// SPDX-License-Identifier: Apache-2.0
// How late runs start, by the real scheduler on the real loop, while 98 % of the targets are
// blackholed, beside the same with none. Measured are the others, which are well. Needs a server on
// PORT of every 127.0.0.0/8 address, and that SYNs to DARK_PORT are dropped; tests/bench/run sees
// to both.
#include <prometheus/registry.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/scheduler/grid.h"
#include "agent/scheduler/scheduler.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/probes/probe_engine.h"
#include "collectors/probes/probe_types.h"
#include "collectors/probes/tcp/tcp_probe.h"
#include "tests/bench/report.h"

namespace ua::bench {
namespace {

constexpr Duration kMeasured = 20s;
constexpr Duration kWellInterval = 200ms;
constexpr double kGoal = 5;  // milliseconds, 99th percentile

struct Fleet {
  std::size_t targets;
  std::size_t well;
  Duration interval;  ///< of the others
  Duration timeout;
};

struct Lags {
  double p50 = 0;  // milliseconds
  double p99 = 0;
  double most = 0;
};

/// The i-th of many distinct loopback addresses.
std::string address(std::size_t i) {
  return "127." + std::to_string(1 + i / 40'000) + '.' + std::to_string(i / 200 % 200) + '.' +
         std::to_string(1 + i % 200);
}

UpstreamConfig upstream(const std::string& name, std::size_t first, std::size_t count,
                        std::size_t port) {
  UpstreamConfig result;
  result.name = name;
  for (std::size_t i = first; i < first + count; ++i) {
    TargetConfig target;
    target.target = parse_target("tcp://" + address(i) + ':' + std::to_string(port)).value();
    target.type = "tcp";
    target.make = make_tcp_maker();
    result.targets.push_back(std::move(target));
  }
  return result;
}

class Run {
 public:
  Run(const Fleet& fleet, std::size_t port, std::size_t others_port)
      : fleet_(fleet), dark_(port != others_port), store_(MetricsConfig{}, 10'000'000) {
    UpstreamConfig well = upstream("well", 0, fleet.well, port);
    well.interval = kWellInterval;
    well.run.timeout = kWellInterval;
    for (const TargetConfig& target : well.targets) {
      const std::string& label = target.target.label;
      grids_.emplace(label, Grid(stable_hash(well.name + '\0' + label), well.interval));
    }
    UpstreamConfig others = upstream("others", fleet.well, fleet.targets - fleet.well, others_port);
    others.interval = fleet.interval;
    others.run.timeout = fleet.timeout;
    scheduler_.apply({well, others}, LimitsConfig{}.max_in_flight);
  }

  Lags measure() {
    // Until all have had their turn and a time-out.
    const Timer begin =
        loop_.after(fleet_.interval + fleet_.timeout, [this] { measuring_ = true; });
    const Timer end =
        loop_.after(fleet_.interval + fleet_.timeout + kMeasured, [this] { loop_.stop(); });
    loop_.run();
    check();
    std::sort(lags_.begin(), lags_.end());
    return {lags_[lags_.size() / 2], lags_[lags_.size() * 99 / 100], lags_.back()};
  }

 private:
  std::shared_ptr<void> start(const TargetConfig& target, const RunOptions& options, RunDone done) {
    const auto grid = grids_.find(target.target.label);
    if (measuring_ && grid != grids_.end()) {
      const Time now = loop_.now();
      const Time slot = grid->second.next(now) - grid->second.interval();
      lags_.push_back(to_seconds(now - slot) * 1000);
    }
    return start_(target, options, std::move(done));
  }

  /// A figure says something only where the well are well, the dark are dark, and all ran.
  void check() const {
    for (const auto& status : board_.snapshot()) {
      const bool dark = dark_ && status->upstream == "others";
      const ErrorClass wanted = dark ? ErrorClass::connect_timeout : ErrorClass::none;
      if (!status->last || status->last->error != wanted) {
        throw std::runtime_error(status->target + " is " +
                                 std::string(status->last ? name(status->last->error) : "not run"));
      }
    }
    const auto due = static_cast<double>(fleet_.well) * (kMeasured / kWellInterval);
    if (static_cast<double>(lags_.size()) < 0.99 * due) {
      throw std::runtime_error(
          "only " + std::to_string(lags_.size()) + " runs of " + std::to_string(std::lround(due)) +
          " started; the machine stood for " + std::to_string(to_seconds(loop_.stalled())) + " s");
    }
  }

  Fleet fleet_;
  bool dark_;
  EpollLoop loop_;
  ProbeEngine engine_{loop_};
  StartRun start_ = start_probe_runs(engine_);
  prometheus::Registry registry_;
  AgentMetrics metrics_{registry_};
  ProbeStore store_;
  StatusBoard board_;
  std::map<std::string, Grid> grids_;
  bool measuring_ = false;
  std::vector<double> lags_;  // milliseconds
  Scheduler scheduler_{
      Surroundings{loop_,
                   [this](const TargetConfig& target, const RunOptions& options, RunDone done) {
                     return start(target, options, std::move(done));
                   },
                   store_, board_, metrics_, [] { return false; }, [] { return true; },
                   [](const TargetStatus&, Verdict) {}},
      LimitsConfig{}.max_in_flight};
};

void compare(const Fleet& fleet, std::size_t port, std::size_t dark_port) {
  for (const bool dark : {false, true}) {
    const Lags lags = Run(fleet, port, dark ? dark_port : port).measure();
    const std::string of = ", " + std::to_string(dark ? fleet.targets - fleet.well : 0) + " of " +
                           std::to_string(fleet.targets) + " dark";
    report("launch lag p50" + of, lags.p50, "ms", 0);
    report("launch lag p99" + of, lags.p99, "ms", kGoal);
    report("launch lag max" + of, lags.most, "ms", 0);
  }
}

int run(const std::vector<std::string>& arguments) {
  std::vector<std::size_t> ports(2);
  for (std::size_t i = 0; i < ports.size() && i < arguments.size(); ++i) {
    const std::string& text = arguments[i];
    std::from_chars(text.data(), text.data() + text.size(), ports[i]);
  }
  if (ports[0] == 0 || ports[1] == 0) {
    std::fprintf(stderr, "usage: launch_bench PORT DARK_PORT\n");
    return 2;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  compare({1'000, 20, 5s, 4s}, ports[0], ports[1]);
  if (limit.rlim_cur < 8'000) {
    std::fprintf(stderr, "skipped: launch lag at 10000 targets (too few descriptors)\n");
    return 0;
  }
  compare({10'000, 200, 15s, 5s}, ports[0], ports[1]);  // as by default
  return 0;
}

}  // namespace
}  // namespace ua::bench

int main(int argc, char** argv) {
  try {
    return ua::bench::run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "launch_bench: %s\n", error.what());
    return 1;
  }
}
