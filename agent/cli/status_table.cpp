// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/status_table.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "agent/cli/command.h"
#include "agent/show_time.h"
#include "collectors/core/text.h"
#include "collectors/core/utf8.h"

namespace ua {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 6> kHeader{"STATE", "UPSTREAM", "TARGET",
                                                  "CLASS", "SINCE",    "LAST"};
using Cells = std::array<std::string, kHeader.size()>;

struct State {
  std::string_view standing;
  std::string_view word;
  const char* colour;  // SGR parameters
};
/// The worst first; the order of the rows.
constexpr std::array<State, 5> kStates{{{"failing", "failing", "1;31"},
                                        {"own_trouble", "host", "1;33"},
                                        {"slow", "slow", "1;33"},
                                        {"waiting", "waiting", "0"},
                                        {"up", "up", "32"}}};

struct Row {
  std::size_t state = 0;  // index of kStates
  Cells cells;
  std::string advice;  // empty while well
};

std::string text_at(const json& object, const char* key) {
  const json& value = object.at(key);
  return value.is_string() ? escape_line(value.get<std::string>(), 2000) : "";
}

WallTime wall(double seconds) {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

Duration duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Row row_of(const json& upstream, const json& target, WallTime now) {
  Row row;
  const auto standing = target.at("standing").get<std::string>();
  while (row.state + 1 < kStates.size() && kStates[row.state].standing != standing) ++row.state;
  const bool down = standing == "failing" && target.at("verdict") == "down";
  row.cells[0] = down ? "down" : std::string(kStates[row.state].word);
  row.cells[1] = text_at(upstream, "name");
  row.cells[2] = text_at(target, "target");
  const std::string address = text_at(target, "address");
  if (!address.empty()) row.cells[2] += " at " + address;
  const json& last = target.at("last");
  if (!last.is_null()) {
    if (last.at("error_class") != "none") row.cells[3] = text_at(last, "error_class");
    const json& timings = last.at("timings");
    if (timings.contains("total")) {
      row.cells[5] = show_brief(duration(timings.at("total").get<double>()));
    }
  }
  const json& since =
      target.at(standing == "slow" ? "slow_since_timestamp" : "state_change_timestamp");
  if (since.is_number()) row.cells[4] = show_age(now, wall(since.get<double>()));
  if (standing == "failing" || standing == "own_trouble") {
    row.advice = text_at(target, "first_check") + ": " + text_at(target, "command");
  }
  return row;
}

std::vector<Row> rows_of(const json& document, const std::vector<std::string>& names) {
  std::vector<Row> rows;
  const WallTime now = wall(document.at("timestamp").get<double>());
  for (const json& upstream : document.at("upstreams")) {
    const bool wanted =
        names.empty() || std::find(names.begin(), names.end(), upstream.at("name")) != names.end();
    if (!wanted) continue;
    for (const json& target : upstream.at("targets")) rows.push_back(row_of(upstream, target, now));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.state < b.state; });
  return rows;
}

/// The first name that no upstream has; empty where there is none.
std::string missing_name(const json& document, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const json& upstream : document.at("upstreams")) {
    known.push_back(upstream.at("name").get<std::string>());
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string message = "the agent has no upstream '" + escape_line(name, 100) + '\'';
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const auto close = nearest(name, candidates);
    if (close) message += "; did you mean '" + escape_line(*close, 100) + "'?";
    return message;
  }
  return {};
}

/// As many characters as fit.
std::string cut(std::string_view line, std::size_t width) {
  if (width == 0) return std::string(line);
  std::size_t end = 0;
  for (std::size_t characters = 0; end < line.size() && characters < width; ++characters) {
    ++end;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) ++end;
  }
  return std::string(line.substr(0, end));
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

class Writer {
 public:
  Writer(const std::vector<Row>& rows, const StatusTableOptions& options) : options_(options) {
    for (std::size_t i = 0; i < kHeader.size(); ++i) {
      widths_[i] = kHeader[i].size();
      for (const Row& row : rows) widths_[i] = std::max(widths_[i], characters(row.cells[i]));
    }
  }

  void header() {
    Cells cells;
    std::copy(kHeader.begin(), kHeader.end(), cells.begin());
    line(aligned(cells), nullptr);
  }
  void row(const Row& row) {
    line(aligned(row.cells), kStates[row.state].colour);
    if (!row.advice.empty()) line("         " + row.advice, nullptr);
  }
  void line(const std::string& text, const char* colour) {
    std::string shown = cut(text, options_.width);
    if (options_.colour && colour != nullptr) {
      const std::size_t end = std::min(widths_[0], shown.size());
      shown = "\x1b[" + std::string(colour) + 'm' + shown.substr(0, end) + "\x1b[0m" +
              shown.substr(end);
    }
    out_ += shown + '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  std::string aligned(const Cells& cells) const {
    std::string result;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      result += cells[i];
      result.append(widths_[i] - characters(cells[i]) + 2, ' ');
    }
    return std::string(result.substr(0, result.find_last_not_of(' ') + 1));
  }

  const StatusTableOptions& options_;
  std::array<std::size_t, kHeader.size()> widths_{};
  std::string out_;
};

std::size_t lines_of(const Row& row) { return row.advice.empty() ? 1 : 2; }

/// How many of the rows fit, where a line may be needed to say how many do not.
std::size_t fitting(const std::vector<Row>& rows, std::size_t height) {
  constexpr std::size_t kOthers = 2;  // the header and the last line
  std::size_t needed = kOthers;
  for (const Row& row : rows) needed += lines_of(row);
  if (height == 0 || needed <= height) return rows.size();
  std::size_t used = kOthers + 1;
  std::size_t count = 0;
  while (count < rows.size() && used + lines_of(rows[count]) <= height) {
    used += lines_of(rows[count++]);
  }
  return count;
}

StatusTable table_of(const json& document, const StatusTableOptions& options) {
  const std::vector<Row> rows = rows_of(document, options.names);
  StatusTable result;
  result.failing = static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.state == 0; }));
  Writer writer(rows, options);
  if (!rows.empty()) writer.header();
  const std::size_t shown = fitting(rows, options.height);
  for (std::size_t i = 0; i < shown; ++i) writer.row(rows[i]);
  if (shown < rows.size()) {
    writer.line("... and " + std::to_string(rows.size() - shown) + " more below", nullptr);
  }
  const WallTime now = wall(document.at("timestamp").get<double>());
  writer.line(std::to_string(result.failing) + " of " + std::to_string(rows.size()) +
                  (rows.size() == 1 ? " target" : " targets") +
                  (result.failing == 1 ? " fails" : " fail") + ", " + show_date(now) + ", " +
                  text_at(document, "configuration"),
              nullptr);
  result.text = writer.take();
  return result;
}

}  // namespace

Result<StatusTable> status_table(const std::string& document, const StatusTableOptions& options) {
  try {
    const json read = json::parse(document);
    const std::string missing = missing_name(read, options.names);
    if (!missing.empty()) return fail(missing, kExitUsage);
    return table_of(read, options);
  } catch (const json::exception& error) {
    return fail(std::string("this is no agent's answer: ") + escape_line(error.what(), 200),
                kExitUnavailable);
  }
}

}  // namespace ua
