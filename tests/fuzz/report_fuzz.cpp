// SPDX-License-Identifier: Apache-2.0
// What `probe` prints of a result, for people and for programs.
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/cli/probe_report.h"
#include "agent/cli/waterfall.h"
#include "collectors/core/text.h"
#include "tests/fuzz/outcomes.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

constexpr WallTime kNow{std::chrono::hours(24 * 365 * 56)};

void check_text(const std::string& report) {
  expect(report.ends_with('\n'), "a report ends with a newline");
  for (const std::string_view line : split(report, '\n')) {
    expect(is_printable_line(line), "a report is printable");
  }
}

void check_waterfall(const Outcome& outcome) {
  const std::string bars = waterfall(outcome);
  for (const std::string_view line : split(bars, '\n')) {
    expect(line.size() <= 78, "a waterfall has at most 78 columns");
  }
  expect(bars.empty() || bars.find("  total ") != std::string::npos, "a waterfall has a total");
}

void check_json(const std::string& json, const Outcome& outcome) {
  for (const char c : json) expect(c >= 0x20 && c < 0x7f, "JSON is one line of ASCII");
  const auto object = nlohmann::json::parse(json, nullptr, false);
  expect(object.is_object(), "JSON is JSON");
  expect(object["success"] == outcome.success(), "the verdict is read back");
  expect(object["error_class"] == name(outcome.error), "the class is read back");
  expect(object["command"].is_null() == (outcome.error == ErrorClass::none),
         "a failure has a command");
}

}  // namespace

void report(std::string_view bytes) {
  Input input(bytes);
  ProbeJob job;
  job.target.target = make_target(input);
  const Outcome outcome = make_outcome(input);
  job.service = input.text();
  check_text(report_text(job, outcome, kNow, false));
  check_waterfall(outcome);
  check_json(report_json(job, outcome, {}), outcome);
}

}  // namespace ua::fuzz
