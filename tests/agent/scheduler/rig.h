// SPDX-License-Identifier: Apache-2.0
// A scheduler in virtual time whose runs are scripted: no sockets, no clock.
#pragma once

#include <prometheus/registry.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/exposition/text_writer.h"
#include "agent/scheduler/grid.h"
#include "agent/scheduler/scheduler.h"
#include "collectors/core/fake_loop.h"
#include "collectors/core/text.h"
#include "tests/catch.h"

namespace ua::scheduler_test {

inline Outcome outcome(ErrorClass error, std::string address = {}) {
  Outcome result;
  result.error = error;
  result.address = std::move(address);
  result.times.set(TimedPhase::total, 10ms);
  return result;
}

/// What a run comes to, and when.
struct Answer {
  Duration after = 10ms;
  std::vector<Outcome> outcomes{outcome(ErrorClass::none)};
};

inline Answer failing(ErrorClass error, Duration after = 10ms) { return {after, {outcome(error)}}; }

struct Launch {
  std::string target;
  Time at;
};

/// `name` with targets tcp://NAME.K:1.
inline UpstreamConfig upstream(const std::string& name, Duration interval,
                               std::size_t targets = 1) {
  UpstreamConfig result;
  result.name = name;
  result.interval = interval;
  result.run.timeout = std::min<Duration>(5s, interval);
  result.origin = "agent.toml:1";
  for (std::size_t i = 0; i < targets; ++i) {
    TargetConfig target;
    target.target = parse_target("tcp://" + name + '.' + std::to_string(i) + ":1").value();
    target.type = "tcp";
    result.targets.push_back(std::move(target));
  }
  return result;
}

inline std::string label(const std::string& name, std::size_t i = 0) {
  return "tcp://" + name + '.' + std::to_string(i) + ":1";
}

/// The grid of target `i` of the upstream.
inline Grid grid_of(const std::string& name, Duration interval, std::size_t i = 0) {
  return {stable_hash(name + '\0' + label(name, i)), interval};
}

class Rig {
 public:
  explicit Rig(unsigned max_in_flight = 100'000, std::uint64_t max_series = 10'000'000)
      : store(MetricsConfig{.birth_hold = 0s}, max_series),
        max_in_flight_(max_in_flight),
        scheduler(surroundings(), max_in_flight) {}

  void apply(const std::vector<UpstreamConfig>& upstreams) {
    scheduler.apply(upstreams, max_in_flight_);
  }
  void apply(const std::vector<UpstreamConfig>& upstreams, unsigned max_in_flight) {
    max_in_flight_ = max_in_flight;
    apply(upstreams);
  }

  /// "" where there is no such series.
  std::string value(const std::string& series) const {
    TextWriter writer(ExpositionFormat::text);
    store.render(writer, loop.now());
    return line_of(writer.finish(), series);
  }
  /// Of a probe series that has no labels but upstream and target.
  std::string value(const std::string& family, const std::string& name) const {
    return value(family + "{upstream=\"" + name + "\",target=\"" + label(name) + "\"}");
  }
  std::string skipped(std::string_view reason) const {
    return agent_value("upstream_agent_probes_skipped_total{reason=\"" + std::string(reason) +
                       "\"}");
  }
  std::string local_errors(std::string_view reason) const {
    return agent_value("upstream_agent_local_errors_total{reason=\"" + std::string(reason) + "\"}");
  }
  std::string agent_value(const std::string& series) const {
    TextWriter writer(ExpositionFormat::text);
    writer.families(registry.Collect());
    return line_of(writer.finish(), series);
  }

  /// When `target` started, from `since` on.
  std::vector<Time> starts(const std::string& target, Time since = {}) const {
    std::vector<Time> result;
    for (const Launch& launch : launches) {
      if (launch.target == target && launch.at >= since) result.push_back(launch.at);
    }
    return result;
  }

  FakeLoop loop;
  prometheus::Registry registry;
  AgentMetrics metrics{registry};
  ProbeStore store;
  StatusBoard board;
  bool resolver_dead = false;
  bool default_route = true;
  std::function<Answer(const std::string& target)> answer = [](const std::string&) {
    return Answer{};
  };
  std::function<void(const TargetStatus& status)> on_verdict = [](const TargetStatus&) {};
  std::vector<Launch> launches;
  std::vector<std::string> verdicts;  ///< "a: unknown -> up"
  std::size_t running = 0;
  std::size_t given_up = 0;  ///< runs that were dropped before their answer
  bool twice = false;        ///< a target had two runs at a time

 private:
  struct Run {
    Run(Rig& the_rig, std::string the_target) : rig(the_rig), target(std::move(the_target)) {
      ++rig.running;
      if (++rig.runs_[target] > 1) rig.twice = true;
    }
    ~Run() {
      --rig.running;
      --rig.runs_[target];
      if (!answered) ++rig.given_up;
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    Rig& rig;
    std::string target;
    bool answered = false;
    Timer timer;
  };

  static std::string line_of(const std::string& page, const std::string& series) {
    const std::size_t at = page.find('\n' + series + ' ');
    if (at == std::string::npos) return {};
    const std::size_t begin = at + series.size() + 2;
    return page.substr(begin, page.find('\n', begin) - begin);
  }

  Surroundings surroundings() {
    return {loop,
            [this](const TargetConfig& target, const RunOptions& /*options*/, RunDone done) {
              return start(target.target.label, std::move(done));
            },
            store,
            board,
            metrics,
            [this] { return resolver_dead; },
            [this] { return default_route; },
            [this](const TargetStatus& status, Verdict before) {
              verdicts.push_back(status.upstream + ": " + std::string(name(before)) + " -> " +
                                 std::string(name(status.verdict)));
              on_verdict(status);
            }};
  }

  std::shared_ptr<void> start(const std::string& target, RunDone done) {
    launches.push_back({target, loop.now()});
    Answer will = answer(target);
    auto run = std::make_shared<Run>(*this, target);
    run->timer = loop.after(
        will.after, [raw = run.get(), done = std::move(done), outcomes = std::move(will.outcomes)] {
          raw->answered = true;
          done(outcomes);
        });
    return run;
  }

  std::map<std::string, int> runs_;
  unsigned max_in_flight_;

 public:
  Scheduler scheduler;  // ends first
};

/// The most launches in any `window`.
inline std::size_t most_within(std::vector<Time> times, Duration window) {
  std::sort(times.begin(), times.end());
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] >= window) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

inline std::vector<Time> times_of(const std::vector<Launch>& launches, Time since = {}) {
  std::vector<Time> result;
  for (const Launch& launch : launches) {
    if (launch.at >= since) result.push_back(launch.at);
  }
  return result;
}

/// Places given by a hash are as good as random, so a window with `mean` of them on average holds
/// more now and then: five standard deviations is one window in three million.
inline std::size_t with_chance(double mean) {
  return static_cast<std::size_t>(std::ceil(mean + 5 * std::sqrt(mean)));
}

}  // namespace ua::scheduler_test
