// SPDX-License-Identifier: Apache-2.0
// Untrusted text on its way to a terminal, a log or a page; durations and sizes.
#include <cmath>
#include <vector>

#include "agent/exposition/escape.h"
#include "agent/web/html.h"
#include "collectors/core/text.h"
#include "collectors/core/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

void check_utf8(std::string_view bytes) {
  const CodePoint point = decode_utf8(bytes);
  const std::size_t length = well_formed(bytes);
  expect(point.bytes == length, "decode_utf8 takes the sequences that Unicode calls well-formed");
  if (length > 0) {
    expect(point.value == value_of(bytes.substr(0, length)), "decode_utf8 tells the code point");
  }
}

/// ASCII that shows, and letters of Latin-1.
bool is_plain(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = well_formed(bytes);
    if (length == 0) return false;
    const char32_t c = value_of(bytes.substr(0, length));
    if (c < 0x20 || (c > 0x7e && c < 0xc0) || c > 0xff) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

void check_escape_line(std::string_view bytes) {
  const std::string whole = escape_line(bytes, bytes.size());
  expect(is_printable_line(whole), "an escaped line is printable");
  expect_same(escape_line(whole, whole.size()), whole, "escaping twice changes nothing");
  if (is_plain(bytes)) expect_same(whole, bytes, "a plain line stays as it is");
  const std::size_t most = bytes.size() / 2;
  const std::string cut = escape_line(bytes, most);
  expect(is_printable_line(cut), "a cut line is printable");
  expect(cut.size() <= 4 * most + 3, "a cut line is at most four times as long");
  expect(bytes.size() <= most || cut.ends_with("..."), "a cut line says so");
}

void check_cut(std::string_view bytes) {
  for (const std::size_t most : {std::size_t{0}, bytes.size() / 3, bytes.size()}) {
    const std::string_view cut = cut_utf8(bytes, most);
    expect(cut.size() <= most && bytes.starts_with(cut), "a cut text is a beginning");
    if (!is_utf8(bytes)) continue;
    expect(is_utf8(cut), "UTF-8 is cut between code points");
    expect(cut.size() + 3 >= std::min(most, bytes.size()), "no more is cut off than needed");
  }
}

void check_html(std::string_view bytes) {
  const std::string html = html_escape(bytes);
  expect(is_printable_line(html), "escaped HTML is printable");
  expect(html.find_first_of("<>\"'") == std::string::npos, "escaped HTML has no markup");
}

void check_duration(std::string_view bytes) {
  const auto duration = parse_duration(bytes);
  if (!duration) return;
  expect(*duration >= Duration::zero(), "a duration is not negative");
  constexpr Duration kExact = std::chrono::hours(24 * 100);  // nanoseconds that a double holds
  if (*duration > kExact) return;
  const auto again = parse_duration(format_duration(*duration));
  expect(again && *again == *duration / 1us * 1us, "a duration is read back to the microsecond");
}

void check_helpers(std::string_view bytes) {
  expect(!parse_size(bytes) || *parse_size(bytes) <= 1'000'000'000'000'000'000,
         "a size is at most 1e18");
  std::string joined;
  for (const std::string_view part : split(bytes, ',')) joined.append(part).append(1, ',');
  joined.pop_back();
  expect_same(joined, bytes, "what is split can be joined again");
  expect_same(trim(trim(bytes)), trim(bytes), "trimming twice changes nothing");
  expect(iequals(to_lower(bytes), bytes), "a text equals its lower case but for case");
}

}  // namespace

void text(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) check_utf8(bytes.substr(i));
  check_escape_line(bytes);
  check_cut(bytes);
  check_html(bytes);
  check_duration(bytes);
  check_helpers(bytes);
  constexpr std::string_view kWords[] = {"interval", "timeout", "targets"};
  const auto near = nearest(bytes, kWords);
  expect(!near || near->size() <= bytes.size() + bytes.size() / 3 + 1, "the nearest word is near");
}

}  // namespace ua::fuzz
