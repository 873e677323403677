// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/answer/regex.h"

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::int64_t kMemory = 8 << 20;

}  // namespace

Result<Regex> compile_regex(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  auto regex = std::make_shared<const re2::RE2>(pattern, options);
  if (regex->ok()) return regex;
  return fail("not a regular expression (RE2): " + escape_line(regex->error(), 200));
}

std::uint64_t match_steps(const re2::RE2& regex, std::string_view text) {
  return static_cast<std::uint64_t>(regex.ProgramSize()) * text.size();
}

}  // namespace ua
