// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/status_table.h"

#include "agent/web/upstreams_json.h"
#include "collectors/core/text.h"
#include "tests/catch.h"

namespace ua {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'772'366'400)};

TargetStatus of(const std::string& upstream, Verdict verdict, ErrorClass error) {
  TargetStatus status;
  status.upstream = upstream;
  status.target = "http://" + upstream + ".test/";
  status.verdict = verdict;
  status.last.emplace();
  status.last->error = error;
  status.last->times.set(TimedPhase::total, 250ms);
  status.state_change = kNow - 10min;
  if (!status.last->success()) status.first_check = "systemctl status " + upstream;
  return status;
}

/// What `status` prints of an agent with these targets.
Result<StatusTable> table_of(const std::vector<TargetStatus>& statuses,
                             const StatusTableOptions& options = {}) {
  StatusData data;
  for (const TargetStatus& status : statuses) {
    data.targets.push_back(std::make_shared<const TargetStatus>(status));
  }
  data.now = kNow;
  data.configuration = "configuration a.toml";
  return status_table(upstreams_json(data), options);
}

TEST_CASE("failing targets come first, each with what to check") {
  TargetStatus young;
  young.upstream = "young";
  young.target = "tcp://young.test:1";
  TargetStatus late = of("late", Verdict::up, ErrorClass::slow_response);
  late.slow_since = kNow - 5min;  // it is up for longer
  const auto table = table_of({of("a", Verdict::up, ErrorClass::none), young, late,
                               of("shop", Verdict::down, ErrorClass::connect_refused),
                               of("wobbly", Verdict::up, ErrorClass::http_503)});
  REQUIRE(table);
  CHECK(table->failing == 2);
  CHECK(table->text ==
        "STATE    UPSTREAM  TARGET               CLASS            SINCE   LAST\n"
        "down     shop      http://shop.test/    connect_refused  10 min  250 ms\n"
        "         " +
            std::string(info(ErrorClass::connect_refused).first_check) +
            ": systemctl status shop\n"
            "failing  wobbly    http://wobbly.test/  http_503         10 min  250 ms\n"
            "         " +
            std::string(info(ErrorClass::http_503).first_check) +
            ": systemctl status wobbly\n"
            "slow     late      http://late.test/    slow_response    5 min   250 ms\n"
            "waiting  young     tcp://young.test:1\n"
            "up       a         http://a.test/                        10 min  250 ms\n"
            "2 of 5 targets fail, 2026-03-01 12:00:00 UTC, configuration a.toml\n");
}

TEST_CASE("only the upstreams that were asked for count") {
  const std::vector<TargetStatus> all{of("shop", Verdict::down, ErrorClass::connect_refused),
                                      of("cart", Verdict::up, ErrorClass::none)};
  const auto table = table_of(all, {{"cart"}, 0, false});
  REQUIRE(table);
  CHECK(table->failing == 0);
  CHECK(table->text ==
        "STATE  UPSTREAM  TARGET             CLASS  SINCE   LAST\n"
        "up     cart      http://cart.test/         10 min  250 ms\n"
        "0 of 1 target fail, 2026-03-01 12:00:00 UTC, configuration a.toml\n");
  CHECK(table_of(all, {{"carts"}, 0, false}).error().message ==
        "the agent has no upstream 'carts'; did you mean 'cart'?");
}

TEST_CASE("trouble of this host is not called a failure") {
  TargetStatus status = of("a", Verdict::up, ErrorClass::local_resources_exhausted);
  status.local_trouble = LocalTrouble::resources_exhausted;
  const auto table = table_of({status});
  REQUIRE(table);
  CHECK(table->failing == 0);
  CHECK(table->text.find("\nhost   a ") != std::string::npos);
}

TEST_CASE("lines are cut between characters, and only the state is coloured") {
  const auto table =
      table_of({of("ä", Verdict::down, ErrorClass::connect_refused)}, {{}, 12, true});
  REQUIRE(table);
  CHECK(table->text.find("\x1b[1;31mdown \x1b[0m  ä    \n") != std::string::npos);
}

TEST_CASE("what does not fit into the height is counted, and what fails stays") {
  std::vector<TargetStatus> all{of("shop", Verdict::down, ErrorClass::connect_refused)};
  for (const char* well : {"a", "b", "c"}) all.push_back(of(well, Verdict::up, ErrorClass::none));
  const auto lines = [&](std::size_t height) {
    std::vector<std::string> firsts;
    const std::string text = table_of(all, {{}, 0, false, height}).value().text;
    for (const std::string_view line : split(text, '\n')) {
      firsts.emplace_back(line.substr(0, line.find(' ')));
      if (line.starts_with("... ")) firsts.back() = line;
    }
    return firsts;
  };
  using Lines = std::vector<std::string>;
  CHECK(lines(7) == Lines{"STATE", "down", "", "up", "up", "up", "1", ""});
  CHECK(lines(6) == Lines{"STATE", "down", "", "up", "... and 2 more below", "1", ""});
  CHECK(lines(5) == Lines{"STATE", "down", "", "... and 3 more below", "1", ""});
  CHECK(lines(4) == Lines{"STATE", "... and 4 more below", "1", ""});
  CHECK(lines(1) == lines(4));
}

TEST_CASE("an agent without upstreams has a table without rows") {
  CHECK(table_of({}).value().text ==
        "0 of 0 targets fail, 2026-03-01 12:00:00 UTC, configuration a.toml\n");
}

TEST_CASE("what is no agent's document is refused") {
  for (const char* text : {"", "hello", "[]", "{}", R"({"upstreams":[]})",
                           R"({"timestamp":1,"configuration":"","upstreams":[{"name":"a"}]})",
                           R"({"timestamp":1,"configuration":"","upstreams":7})"}) {
    CAPTURE(text);
    const auto table = status_table(text, {});
    REQUIRE_FALSE(table);
    CHECK(table.error().message.starts_with("this is no agent's answer: "));
  }
}

}  // namespace
}  // namespace ua
