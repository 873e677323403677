// SPDX-License-Identifier: Apache-2.0
#include "agent/web/sparkline.h"

#include "tests/catch.h"

namespace ua {
namespace {

using Slot = TargetHistory::Slot;

std::string words_of(const std::vector<Slot>& slots) { return history_in_words(slots); }

std::string svg(const std::string& label, const std::string& paths) {
  return "<svg class=\"spark\" viewBox=\"0 0 4 20\" preserveAspectRatio=\"none\" role=\"img\" "
         "aria-label=\"" +
         label + "\">" + paths + "</svg>";
}

TEST_CASE("nothing is drawn of a target without a probe") {
  CHECK(sparkline_svg(std::vector<Slot>(4)).empty());
  CHECK(words_of(std::vector<Slot>(4)) == "no probe in the last hours");
}

TEST_CASE("each slot is a step as high as its slowest success; gaps stay gaps") {
  const std::vector<Slot> slots{{10, 0, 0.1F}, {10, 0, 0.05F}, {0, 0, 0}, {10, 0, 0.1F}};
  CHECK(sparkline_svg(slots) ==
        svg("in the last 8 min 0 of 30 probes failed, the slowest success took 100 ms",
            "<path class=\"took\" d=\"M0 20v-20h1v9h1v11zM3 20v-20h1v20z\"/>"));
}

TEST_CASE("steps of the same height cost nothing more") {
  const std::vector<Slot> slots(4, Slot{10, 0, 0.1F});
  CHECK(sparkline_svg(slots).find("d=\"M0 20v-20h4v20z\"") != std::string::npos);
}

TEST_CASE("failures are bars as high as their share, and never too low to see") {
  const std::vector<Slot> slots{{0, 0, 0}, {10, 10, 0}, {1000, 1, 0.002F}, {10, 5, 0.002F}};
  CHECK(sparkline_svg(slots) ==
        svg("in the last 6 min 16 of 1020 probes failed, the slowest success took 2.0 ms",
            "<path class=\"took\" d=\"M2 20v-20h2v20z\"/>"
            "<path class=\"failed\" d=\"M1 20v-20h1v20zM2 20v-5h1v5zM3 20v-10h1v10z\"/>"));
}

TEST_CASE("words say how far back the probes go") {
  std::vector<Slot> slots(120);
  slots[119] = {1, 1, 0};
  CHECK(words_of(slots) == "in the last 2 min 1 of 1 probes failed");
  slots[0] = {1, 0, 1.5F};
  CHECK(words_of(slots) == "in the last 4 h 1 of 2 probes failed, the slowest success took 1.50 s");
}

}  // namespace
}  // namespace ua
