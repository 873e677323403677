// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/answer/answer_options.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/options.h"

namespace ua {
namespace {

std::optional<int> status_code(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 100 || value > 999) return std::nullopt;
  return value;
}

/// "204", "200-299" or "2xx".
std::optional<std::pair<int, int>> status_range(std::string_view text) {
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '1' && text[0] <= '5') {
    const int first = (text[0] - '0') * 100;
    return std::pair(first, first + 99);
  }
  const std::size_t dash = text.find('-');
  const auto low = status_code(trim(text.substr(0, dash)));
  const auto high = dash == std::string_view::npos ? low : status_code(trim(text.substr(dash + 1)));
  if (!low || !high || *low > *high) return std::nullopt;
  return std::pair(*low, *high);
}

std::optional<std::pair<int, int>> status_range(const toml::node& item) {
  if (const auto code = item.value_exact<std::int64_t>())
    return status_range(std::to_string(*code));
  if (const auto text = item.value_exact<std::string>()) return status_range(*text);
  return std::nullopt;
}

Regex read_regex(TableReader& table, std::string_view key) {
  const auto pattern = table.text(key);
  if (!pattern) return nullptr;
  const Result<Regex> regex = compile_regex(*pattern);
  if (!regex) table.complain(key, regex.error().message);
  return regex.value_or(nullptr);
}

void read_expected_headers(TableReader& table, AnswerPatterns& patterns) {
  for (TableReader::Pair& pair : table.text_pairs("expect_header")) {
    const std::string shown = '\'' + escape_line(pair.key, 60) + '\'';
    const Result<Regex> regex = compile_regex(pair.value);
    if (!is_token(pair.key)) {
      table.complain_item("expect_header", *pair.node, shown + " is no name of a header");
    } else if (!regex) {
      table.complain_item("expect_header", *pair.node, shown + " is " + regex.error().message);
    } else {
      patterns.expect_header.emplace_back(std::move(pair.key), *regex);
    }
  }
}

}  // namespace

bool StatusSet::contains(int status) const {
  return std::any_of(ranges.begin(), ranges.end(), [status](const auto& range) {
    return status >= range.first && status <= range.second;
  });
}

StatusSet read_expect_status(TableReader& table) {
  StatusSet set;
  const toml::node* node = table.node("expect_status");
  if (node == nullptr) return set;
  std::vector<std::pair<int, int>> ranges;
  const auto take = [&](const toml::node& item) {
    if (const auto range = status_range(item)) {
      ranges.push_back(*range);
    } else {
      table.complain_item("expect_status", item,
                          "write codes such as 204, ranges such as \"200-299\" or classes such as "
                          "\"2xx\"");
    }
  };
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& item : *list) take(item);
    if (list->empty()) {
      table.complain("expect_status", "the list is empty: nothing would be accepted");
    }
  } else {
    take(*node);
  }
  if (!ranges.empty()) set.ranges = std::move(ranges);
  return set;
}

AnswerPatterns read_patterns(TableReader& table) {
  AnswerPatterns patterns;
  read_expected_headers(table, patterns);
  patterns.expect_body = read_regex(table, "expect_body");
  patterns.reject_body = read_regex(table, "reject_body");
  return patterns;
}

std::uint64_t read_max_body(TableReader& table, const ProbeLimits& limits) {
  const auto size = table.size("max_body", 1, 1ULL << 30U);
  if (!size) return limits.max_body;
  if (*size <= limits.max_body) return *size;
  table.complain("max_body", std::to_string(*size) + " bytes is more than limits.max_body, " +
                                 std::to_string(limits.max_body));
  return limits.max_body;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kSpecial = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSpecial.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

}  // namespace ua
