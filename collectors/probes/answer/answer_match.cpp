// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/answer/answer_match.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "collectors/core/text.h"

namespace ua {
namespace {

bool matches(const Regex& regex, std::string_view text) {
  return re2::RE2::PartialMatch(text, *regex);
}

using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// Names and values; what has no colon is no header.
Fields fields_of(std::string_view headers) {
  Fields fields;
  for (std::string_view line : split(headers, '\n')) {
    if (line.starts_with(' ') || line.starts_with('\t')) {  // RFC 9112 section 5.2
      if (!fields.empty()) fields.back().second.append(1, ' ').append(trim(line));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    fields.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return fields;
}

std::optional<Mismatch> header_mismatch(const Fields& fields, const std::string& name,
                                        const Regex& regex) {
  bool there = false;
  for (const auto& [key, value] : fields) {
    if (!iequals(key, name)) continue;
    if (matches(regex, value)) return std::nullopt;
    there = true;
  }
  return Mismatch{"expect_header", there ? "the answer's header '" + name +
                                               "' does not match its pattern in expect_header"
                                         : "the answer has no header '" + name + '\''};
}

}  // namespace

std::uint64_t match_steps(const AnswerPatterns& patterns, std::string_view headers,
                          std::string_view body) {
  std::uint64_t steps = 0;
  const auto add = [&steps](const Regex& regex, std::string_view text) {
    if (regex != nullptr) steps += match_steps(*regex, text);
  };
  for (const auto& [name, regex] : patterns.expect_header) add(regex, headers);
  add(patterns.expect_body, body);
  add(patterns.reject_body, body);
  return steps;
}

std::optional<Mismatch> find_mismatch(const AnswerPatterns& patterns, std::string_view headers,
                                      std::string_view body) {
  if (!patterns.expect_header.empty()) {
    const Fields fields = fields_of(headers);
    for (const auto& [name, regex] : patterns.expect_header) {
      if (auto mismatch = header_mismatch(fields, name, regex)) return mismatch;
    }
  }
  if (patterns.reject_body && matches(patterns.reject_body, body)) {
    return Mismatch{"reject_body", "the body matches reject_body"};
  }
  if (patterns.expect_body && !matches(patterns.expect_body, body)) {
    return Mismatch{"expect_body", "the body does not match expect_body"};
  }
  return std::nullopt;
}

void apply_mismatch(const std::optional<Mismatch>& mismatch, Outcome& outcome) {
  if (!mismatch) return;
  outcome.error = ErrorClass::content_mismatch;
  add_detail(outcome, mismatch->detail);
  outcome.message = mismatch->message;
}

}  // namespace ua
