// SPDX-License-Identifier: Apache-2.0
// What results do to verdicts, series and the board; through the scheduler, in virtual time.
#include "agent/scheduler/target_rows.h"

#include "tests/agent/scheduler/rig.h"

namespace ua::scheduler_test {
namespace {

/// One upstream "a" whose every run comes to `next`.
struct One {
  explicit One(UpstreamConfig the_config = upstream("a", 10s)) : config(std::move(the_config)) {
    rig.answer = [this](const std::string&) { return next; };
    rig.apply({config});
  }
  void run() {
    const std::uint64_t seen = rig.scheduler.results();
    while (rig.scheduler.results() == seen) rig.loop.advance(10ms);
  }
  std::string up() const { return rig.value("upstream_up", "a"); }
  std::string success() const { return rig.value("upstream_probe_success", "a"); }

  UpstreamConfig config;
  Answer next;
  Rig rig;
};

TEST_CASE("the verdict follows rise and fall, and is heard of once") {
  auto config = upstream("a", 10s);
  config.rise = 2;
  config.fall = 3;
  One one(config);
  std::string ups;
  for (const char result : std::string("ssffsfffffsfss")) {
    one.next = result == 's' ? Answer{} : failing(ErrorClass::http_503);
    one.run();
    const std::string up = one.up();
    ups += up.empty() ? "-" : up;
  }
  CHECK(ups == "-1111110000001");
  CHECK(one.rig.verdicts ==
        std::vector<std::string>{"a: unknown -> up", "a: up -> down", "a: down -> up"});
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "14");
}

TEST_CASE("other rise, fall and interval at a reload hold from the next result on") {
  auto config = upstream("a", 10s);
  config.rise = 1;
  config.fall = 5;
  One one(config);
  one.run();
  one.next = failing(ErrorClass::http_503);
  for (int i = 0; i < 3; ++i) one.run();
  CHECK(one.up() == "1");
  config.fall = 4;
  config.interval = 20s;
  one.rig.apply({config});
  CHECK(one.up() == "1");
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "4");
  one.run();
  CHECK(one.up() == "0");
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "5");
}

TEST_CASE("a slow answer is an answer") {
  auto config = upstream("a", 10s);
  config.rise = 1;
  config.fall = 1;
  One one(config);
  one.next = failing(ErrorClass::slow_response);
  one.run();
  CHECK(one.up() == "1");
  CHECK(one.success() == "1");
}

TEST_CASE("a target is slow since its first slow answer in a row") {
  One one;
  const auto shown = [&] { return one.rig.board.snapshot().at(0); };
  one.run();
  CHECK_FALSE(shown()->slow_since);
  one.next = failing(ErrorClass::slow_response);
  one.run();
  const auto first = shown()->last_run;
  one.run();
  CHECK(shown()->slow_since == first);
  CHECK(shown()->state_change < first);
  one.next = failing(ErrorClass::http_503);
  one.run();
  CHECK_FALSE(shown()->slow_since);
}

TEST_CASE("the history holds what says something about the upstream") {
  One one;
  const auto history = [&] {
    return one.rig.board.snapshot().at(0)->history->read(one.rig.loop.now()).back();
  };
  one.run();
  one.next = failing(ErrorClass::http_503);
  one.run();
  CHECK(history().attempts == 2);
  CHECK(history().failures == 1);
  CHECK(history().slowest == 0.01F);
  one.next = failing(ErrorClass::permission_denied);
  one.run();
  CHECK(history().attempts == 2);
  CHECK(history().failures == 1);
}

TEST_CASE("local trouble keeps the verdict, shows no success, and is counted by its reason") {
  struct Case {
    ErrorClass error;
    std::string reason;
  };
  for (const auto& [error, reason] :
       {Case{ErrorClass::config_invalid, "config_invalid"},
        Case{ErrorClass::local_resources_exhausted, "resources_exhausted"},
        Case{ErrorClass::permission_denied, "permission_denied"},
        Case{ErrorClass::dns_timeout, "resolver_dead"},
        Case{ErrorClass::dns_failed, "resolver_dead"},
        Case{ErrorClass::unreachable, "no_default_route"}}) {
    CAPTURE(name(error));
    auto config = upstream("a", 10s);
    config.rise = 1;
    config.fall = 1;
    One one(config);
    one.run();
    one.rig.resolver_dead = true;
    one.rig.default_route = false;
    one.next = failing(error);
    for (int i = 0; i < 3; ++i) one.run();
    CHECK(one.up() == "1");
    CHECK(one.success() == "0");
    CHECK(one.rig.local_errors(reason) == "3");
    CHECK(one.rig.verdicts.size() == 1);
  }
}

TEST_CASE("what runs across a pause is no latency, and its failure is not the upstream's") {
  auto config = upstream("a", 60s);
  config.rise = 1;
  config.fall = 1;
  One one(config);
  one.run();
  const std::string observed = "upstream_probe_duration_seconds_count{upstream=\"a\",target=\"" +
                               label("a") + "\",phase=\"total\"}";
  CHECK(one.rig.value(observed) == "1");

  const bool fails = GENERATE(false, true);
  CAPTURE(fails);
  if (fails) one.next = failing(ErrorClass::response_timeout);
  one.next.after = 1s;
  one.rig.launches.clear();
  while (one.rig.launches.empty()) one.rig.loop.advance(10ms);
  one.rig.loop.pause(30s);
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "2");
  CHECK(one.rig.value(observed) == "1");
  CHECK(one.up() == "1");
  CHECK(one.success() == (fails ? "0" : "1"));
  CHECK(one.rig.local_errors("loop_stalled") == (fails ? "1" : "0"));
  // What does not cross it counts as ever.
  one.next.after = 10ms;
  one.run();
  CHECK(one.rig.value(observed) == "2");
  CHECK(one.up() == (fails ? "0" : "1"));
}

TEST_CASE("an answer that only a pause made late is not slow") {
  One one;
  one.next = failing(ErrorClass::slow_response);
  one.run();
  const std::string code =
      "upstream_probe_result_code{upstream=\"a\",target=\"" + label("a") + "\"}";
  CHECK(one.rig.value(code) == "32");
  one.next.after = 1s;
  one.rig.launches.clear();
  while (one.rig.launches.empty()) one.rig.loop.advance(10ms);
  one.rig.loop.pause(30s);
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "2");
  CHECK(one.rig.value(code) == "0");
}

TEST_CASE("a service, an origin or an interval changed by a reload is shown at once") {
  One one;
  one.run();
  const std::string labels = "{upstream=\"a\",target=\"" + label("a") + "\",type=\"tcp\"";
  CHECK(one.rig.value("upstream_info" + labels + "}") == "1");
  one.config.service = "a.service";
  one.config.origin = "conf.d/a.toml:3";
  one.config.interval = 20s;
  one.rig.apply({one.config});
  CHECK(one.rig.value("upstream_info" + labels + "}").empty());
  CHECK(one.rig.value("upstream_info" + labels + ",service=\"a.service\"}") == "1");
  CHECK(one.rig.value("upstream_probe_interval_seconds", "a") == "20");
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "1");
  const auto shown = one.rig.board.snapshot().at(0);
  CHECK(shown->service == "a.service");
  CHECK(shown->origin == "conf.d/a.toml:3");
  CHECK(shown->interval == 20s);
  CHECK(shown->attempts == 1);
}

TEST_CASE("series refused at max_series come when others have gone") {
  Rig rig(1000, 100);
  rig.apply({upstream("a", 10s), upstream("b", 10s), upstream("c", 10s), upstream("d", 10s),
             upstream("e", 10s)});
  rig.loop.advance(1min);
  CHECK(rig.value("upstream_probe_success", "e").empty());
  CHECK(rig.board.snapshot().size() == 5);
  rig.apply({upstream("e", 10s)});
  rig.loop.advance(1min);
  CHECK(rig.value("upstream_probe_success", "e") == "1");
}

// ---- addresses = "all"

UpstreamConfig each_address() {
  auto config = upstream("a", 10s);
  config.run.addresses = AddressMode::all;
  config.rise = 1;
  config.fall = 1;
  return config;
}

std::string of_address(const Rig& rig, const std::string& family, const std::string& address) {
  return rig.value(family + "{upstream=\"a\",target=\"" + label("a") + "\",address=\"" + address +
                   "\"}");
}

Answer at(const std::vector<std::pair<std::string, ErrorClass>>& results) {
  Answer answer;
  answer.outcomes.clear();
  for (const auto& [address, error] : results) answer.outcomes.push_back(outcome(error, address));
  return answer;
}

TEST_CASE("each address has a row of its own, which leaves five minutes after the answer") {
  One one(each_address());
  constexpr auto kWell = ErrorClass::none;
  one.next = at({{"10.0.0.1:1", kWell}, {"10.0.0.2:1", ErrorClass::connect_refused}});
  one.run();
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.1:1") == "1");
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.2:1") == "0");
  CHECK(one.rig.board.snapshot().size() == 2);
  one.next = at({{"10.0.0.1:1", kWell}, {"10.0.0.3:1", kWell}});
  one.run();
  const Time left = one.rig.loop.now();
  while (one.rig.loop.now() - left < 4min + 40s) one.run();
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.2:1") == "0");
  while (one.rig.loop.now() - left < 5min + 10s) one.run();
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.2:1").empty());
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.1:1") == "1");
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.3:1") == "1");
  CHECK(one.rig.board.snapshot().size() == 2);
}

TEST_CASE("a name without addresses is a row, until it has some") {
  One one(each_address());
  one.next = failing(ErrorClass::dns_not_found);
  one.run();
  CHECK(one.success() == "0");
  one.next = at({{"10.0.0.1:1", ErrorClass::none}});
  one.run();
  CHECK(one.success().empty());
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.1:1") == "1");
  // Then what says nothing of a single address holds for all that are known.
  one.next = failing(ErrorClass::dns_not_found);
  one.run();
  CHECK(one.success().empty());
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.1:1") == "0");
}

TEST_CASE("addresses outlive a dead resolver, not an answer without them") {
  One one(each_address());
  one.next = at({{"10.0.0.1:1", ErrorClass::none}});
  one.run();
  one.rig.resolver_dead = true;
  one.next = failing(ErrorClass::dns_timeout);
  for (int i = 0; i < 60; ++i) one.run();
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.1:1") == "1");
  CHECK(of_address(one.rig, "upstream_probe_success", "10.0.0.1:1") == "0");
  one.next = failing(ErrorClass::dns_not_found);
  for (int i = 0; i < 33; ++i) one.run();
  CHECK(of_address(one.rig, "upstream_up", "10.0.0.1:1").empty());
  CHECK(one.up() == "0");
}

TEST_CASE("a name with other addresses in each answer keeps sixteen rows, the latest") {
  One one(each_address());
  for (int i = 0; i < 40; ++i) {
    one.next = at({{"10.0.0.1:1", ErrorClass::none},
                   {"10.0.1." + std::to_string(i) + ":1", ErrorClass::none}});
    one.run();
  }
  CHECK(one.rig.board.snapshot().size() == 16);
  CHECK(of_address(one.rig, "upstream_probe_attempts_total", "10.0.0.1:1") == "40");
  CHECK(of_address(one.rig, "upstream_probe_attempts_total", "10.0.1.25:1") == "1");
  CHECK(of_address(one.rig, "upstream_probe_attempts_total", "10.0.1.24:1").empty());
}

TEST_CASE("one failure of this host is counted once, however many addresses it concerns") {
  One one(each_address());
  one.next = at({{"10.0.0.1:1", ErrorClass::none}, {"10.0.0.2:1", ErrorClass::none}});
  one.run();
  one.rig.resolver_dead = true;
  one.next = failing(ErrorClass::dns_timeout);
  one.run();
  CHECK(one.rig.local_errors("resolver_dead") == "1");
}

TEST_CASE("a reload that changes `addresses` begins new rows, and gives up the run for the old") {
  One one(each_address());
  one.next = at({{"10.0.0.1:1", ErrorClass::none}, {"10.0.0.2:1", ErrorClass::none}});
  one.run();
  one.next.after = 1s;
  one.rig.launches.clear();
  while (one.rig.launches.empty()) one.rig.loop.advance(10ms);
  one.config.run.addresses = AddressMode::any;
  one.rig.apply({one.config});
  CHECK(one.rig.given_up == 1);
  CHECK(one.rig.scheduler.in_flight() == 0);
  CHECK(one.rig.board.snapshot().size() == 1);
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "0");
  one.next = Answer{};
  one.run();
  CHECK(one.rig.value("upstream_probe_attempts_total", "a") == "1");
  CHECK(one.up() == "1");
}

}  // namespace
}  // namespace ua::scheduler_test
