// SPDX-License-Identifier: Apache-2.0
#include "agent/web/upstreams_json.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

namespace ua {
namespace {

using nlohmann::json;

constexpr WallTime kNow{std::chrono::seconds(1'772'366'400)};

StatusData data_of(std::vector<TargetStatus> statuses) {
  StatusData data;
  for (TargetStatus& status : statuses) {
    data.targets.push_back(std::make_shared<const TargetStatus>(std::move(status)));
  }
  data.now = kNow;
  data.configuration = "configuration a.toml";
  return data;
}

TargetStatus failing() {
  TargetStatus status;
  status.upstream = "shop";
  status.target = "http://shop.test/";
  status.type = "http";
  status.service = "shop.service";
  status.origin = "a.toml:3";
  status.interval = 5s;
  status.verdict = Verdict::down;
  status.last.emplace();
  status.last->error = ErrorClass::connect_refused;
  status.last->address = "192.0.2.1:80";
  status.last->times.set(TimedPhase::total, 250ms);
  status.last_run = kNow - 1s;
  status.state_change = kNow - 60s;
  status.attempts = 9;
  status.failures = 8;
  status.first_check = "systemctl status shop.service";
  return status;
}

TEST_CASE("the list has the agent, the host and each upstream with its targets") {
  TargetStatus other = failing();
  other.target = "http://other.test/";
  TargetStatus waiting;
  waiting.upstream = "a";
  waiting.interval = 15s;
  StatusData data = data_of({failing(), waiting, other});
  data.host.cpus = 2;
  data.host.fullest_queue = FullestQueue{80, 3, 4};
  data.notes = {"a note"};
  const json read = json::parse(upstreams_json(data));
  CHECK(read["version"] == UA_VERSION);
  CHECK(read["timestamp"] == 1'772'366'400.0);
  CHECK(read["configuration"] == "configuration a.toml");
  CHECK(read["notes"] == json{"a note"});
  CHECK(read["targets"] == 3);
  CHECK(read["failing"] == 2);
  CHECK(read["host"]["cpus"] == 2);
  CHECK(read["host"]["cpu_busy_ratio"].is_null());
  CHECK(read["host"]["fullest_listen_queue"] == json{{"port", 80}, {"length", 3}, {"limit", 4}});
  REQUIRE(read["upstreams"].size() == 2);
  CHECK(read["upstreams"][0]["name"] == "a");
  CHECK(read["upstreams"][0]["service"].is_null());
  CHECK(read["upstreams"][1]["name"] == "shop");
  CHECK(read["upstreams"][1]["service"] == "shop.service");
  CHECK(read["upstreams"][1]["targets"].size() == 2);
}

TEST_CASE("a failing target says all that the status page does") {
  StatusData data = data_of({failing()});
  data.second_look = [](const TargetStatus&) -> std::string_view { return "it moved"; };
  const json target = json::parse(upstreams_json(data))["upstreams"][0]["targets"][0];
  CHECK(target["target"] == "http://shop.test/");
  CHECK(target["address"].is_null());
  CHECK(target["type"] == "http");
  CHECK(target["standing"] == "failing");
  CHECK(target["verdict"] == "down");
  CHECK(target["local_trouble"].is_null());
  CHECK(target["interval_seconds"] == 5.0);
  CHECK(target["attempts"] == 9);
  CHECK(target["failures"] == 8);
  CHECK(target["state_change_timestamp"] == 1'772'366'340.0);
  CHECK(target["slow_since_timestamp"].is_null());
  CHECK(target["last_success_timestamp"].is_null());
  CHECK(target["last"]["error_class"] == "connect_refused");
  CHECK(target["last"]["phase"] == "connect");
  CHECK(target["last"]["timings"]["total"] == 0.25);
  CHECK(target["likely_cause"] == info(ErrorClass::connect_refused).likely_cause);
  CHECK(target["first_check"] == info(ErrorClass::connect_refused).first_check);
  CHECK(target["command"] == "systemctl status shop.service");
  CHECK(target["second_look"] == "it moved");
  CHECK(target["configured_in"] == "a.toml:3");
}

TEST_CASE("what is not known is null, and every key is there") {
  TargetStatus waiting;
  waiting.upstream = "a";
  const json read = json::parse(upstreams_json(data_of({waiting, failing()})));
  const json& young = read["upstreams"][0]["targets"][0];
  const json& old = read["upstreams"][1]["targets"][0];
  CHECK(young["standing"] == "waiting");
  for (const auto& [key, value] : old.items()) CHECK(young.contains(key));
  for (const char* key : {"last", "likely_cause", "first_check", "command", "second_look",
                          "last_run_timestamp", "local_trouble"}) {
    CHECK(young[key].is_null());
  }
}

TEST_CASE("one upstream comes with its last hours") {
  const auto history = std::make_shared<TargetHistory>();
  history->record(Time{} + 5h, TargetHistory::Result::success, 125ms);
  history->record(Time{} + 5h, TargetHistory::Result::failure, 1s);
  TargetStatus status = failing();
  status.history = history;
  StatusData data = data_of({status});
  data.history_until = Time{} + 5h;
  const auto text = upstream_json(data, "shop");
  REQUIRE(text);
  const json read = json::parse(*text);
  CHECK(read["name"] == "shop");
  const json& slots = read["targets"][0]["history"]["slots"];
  CHECK(read["targets"][0]["history"]["slot_seconds"] == 120.0);
  REQUIRE(slots.size() == 120);
  CHECK(slots[119] == json{{"attempts", 2}, {"failures", 1}, {"slowest_seconds", 0.125}});
  CHECK(slots[0] == json{{"attempts", 0}, {"failures", 0}, {"slowest_seconds", nullptr}});
  CHECK_FALSE(upstream_json(data, "sho"));
  CHECK_FALSE(upstream_json(data, ""));
}

TEST_CASE("hostile bytes cannot break the document") {
  TargetStatus status = failing();
  status.upstream = "\xff\"\n";
  status.last->message = "\x1b[31m\xc3";
  const json read = json::parse(upstreams_json(data_of({status})));
  CHECK(read["upstreams"][0]["name"] == "\\xff\"\\x0a");
  CHECK(read["upstreams"][0]["targets"][0]["last"]["message"] == "\\x1b[31m\\xc3");
}

}  // namespace
}  // namespace ua
