// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/waterfall.h"

#include "tests/catch.h"

namespace ua {
namespace {

std::string bar(std::string text) {
  text.resize(40, ' ');
  return '|' + text + '|';
}

TEST_CASE("bars begin where the phase before ended and are scaled to the total") {
  Outcome outcome;
  outcome.times.set(TimedPhase::dns, 25ms);
  outcome.times.set(TimedPhase::connect, 25ms);
  outcome.times.set(TimedPhase::response_headers, 50ms);
  outcome.times.set(TimedPhase::total, 100ms);
  CHECK(waterfall(outcome) ==
        "  dns              " + bar(std::string(10, '=')) + "   25.000 ms\n" +
            "  connect          " + bar(std::string(10, ' ') + std::string(10, '=')) +
            "   25.000 ms\n" + "  response_headers " +
            bar(std::string(20, ' ') + std::string(20, '=')) + "   50.000 ms\n" +
            "  total            " + bar(std::string(40, '=')) + "  100.000 ms\n");
}

TEST_CASE("the phase in which a probe ended has a dotted bar over the time that is left") {
  Outcome outcome;
  outcome.error = ErrorClass::response_timeout;
  outcome.times.set(TimedPhase::connect, 500ms);
  outcome.times.set(TimedPhase::total, 2s);
  CHECK(waterfall(outcome) == "  connect          " + bar(std::string(10, '=')) + "  500.000 ms\n" +
                                  "  response_headers " +
                                  bar(std::string(10, ' ') + std::string(30, '.')) +
                                  "    1.500 s \n" + "  total            " +
                                  bar(std::string(40, '=')) + "    2.000 s \n");
}

TEST_CASE("time that belongs to no phase is named") {
  Outcome outcome;
  outcome.times.set(TimedPhase::connect, 10ms);
  outcome.times.set(TimedPhase::total, 1s);
  CHECK(waterfall(outcome).find("  other            " + bar("") + "  990.000 ms\n") !=
        std::string::npos);
  outcome.times.set(TimedPhase::connect, 999ms);
  CHECK(waterfall(outcome).find("other") == std::string::npos);
}

TEST_CASE("extreme times neither vanish nor overflow the line") {
  Outcome outcome;
  outcome.error = ErrorClass::body_timeout;
  outcome.times.set(TimedPhase::dns, 0ns);
  outcome.times.set(TimedPhase::connect, 10min);
  outcome.times.set(TimedPhase::tls, 3s);  // more than the total, as rounding may give
  outcome.times.set(TimedPhase::total, 10min);
  const std::string text = waterfall(outcome);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const std::string line = text.substr(begin, end - begin);
    CHECK(line.size() == 73);
    CHECK(line.find('=') != std::string::npos);
    begin = end + 1;
  }
}

TEST_CASE("without a total there is nothing to draw") { CHECK(waterfall(Outcome{}).empty()); }

}  // namespace
}  // namespace ua
