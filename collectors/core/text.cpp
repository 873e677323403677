// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <system_error>
#include <utility>

#include "collectors/core/utf8.h"

namespace ua {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Largest first, as they are written together.
constexpr std::array<Unit, 8> kUnits{{{"w", 604'800'000'000'000},
                                      {"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Takes digits with an optional fraction off the front.
std::optional<double> take_number(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && (is_digit(text[length]) || text[length] == '.')) ++length;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, value);
  const bool whole = error == std::errc() && end == text.data() + length;
  if (!whole || text[length - 1] == '.') return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::string_view take_word(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && !is_digit(text[length]) && text[length] != '.') ++length;
  const std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

void append_hex(std::string& out, unsigned char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\x";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xfU];
}

struct Range {
  char32_t first, last;
};
/// C0, DEL, C1, and what reorders or hides text on a terminal: Unicode's Bidi_Control, separators
/// of lines, marks without width, annotations and tags.
constexpr std::array<Range, 10> kUnprintable{{{0x0000, 0x001f},
                                              {0x007f, 0x009f},
                                              {0x061c, 0x061c},
                                              {0x180e, 0x180e},
                                              {0x200b, 0x200f},
                                              {0x2028, 0x202e},
                                              {0x2060, 0x206f},
                                              {0xfeff, 0xfeff},
                                              {0xfff9, 0xfffb},
                                              {0xe0000, 0xe007f}}};

bool is_unprintable(char32_t c) {
  return std::any_of(kUnprintable.begin(), kUnprintable.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

std::string escape_line(std::string_view bytes, std::size_t max_bytes) {
  const bool cut = bytes.size() > max_bytes;
  if (cut) bytes = bytes.substr(0, max_bytes);
  std::string result;
  result.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint point = decode_utf8(bytes);
    const std::size_t taken = std::max<std::size_t>(point.bytes, 1);
    const std::string_view sequence = bytes.substr(0, taken);
    if (point.bytes == 0 || is_unprintable(point.value)) {
      for (const char c : sequence) append_hex(result, static_cast<unsigned char>(c));
    } else {
      result += sequence;
    }
    bytes.remove_prefix(taken);
  }
  return cut ? result + "..." : result;
}

std::string without_secrets(std::string_view url) {
  const std::size_t mark = url.find("://");
  const std::size_t scheme = mark == std::string_view::npos ? 0 : mark + 3;
  const std::string_view cut = url.substr(0, url.find_first_of("?#"));
  const std::string begin(url.substr(0, std::min(scheme, cut.size())));
  if (url.find('@', cut.size()) != std::string_view::npos) return begin + "***";
  const std::size_t at = cut.rfind('@');
  std::string result(cut);
  if (at != std::string_view::npos) {
    result = (at < scheme ? "" : begin) + "***" + std::string(cut.substr(at));
  }
  return cut.size() < url.size() ? result + "?..." : result;
}

bool names_credential(std::string_view header) {
  static constexpr std::array<std::string_view, 9> kTelling{
      "auth", "cookie", "key", "token", "secret", "pass", "credential", "session", "signature"};
  const std::string lower = to_lower(header);
  return std::any_of(kTelling.begin(), kTelling.end(),
                     [&](std::string_view part) { return lower.find(part) != std::string::npos; });
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  const auto* smaller = kUnits.begin();  // each unit once, the larger before the smaller
  while (!text.empty()) {
    const auto value = take_number(text);
    const std::string_view word = take_word(text);
    const auto* const unit =
        std::find_if(smaller, kUnits.end(), [&](const Unit& u) { return u.name == word; });
    if (!value || unit == kUnits.end()) return std::nullopt;
    smaller = unit + 1;
    total += *value * static_cast<double>(unit->nanoseconds);
  }
  if (total > 9e18) return std::nullopt;
  return Duration(static_cast<std::int64_t>(std::llround(total)));
}

std::string format_duration(Duration value) {
  std::int64_t left = value.count() / 1000 * 1000;
  if (left == 0) return "0s";
  std::string result = left < 0 ? "-" : "";
  left = std::abs(left);
  for (const Unit& unit : kUnits) {
    if (left < unit.nanoseconds) continue;
    result += std::to_string(left / unit.nanoseconds);
    result += unit.name;
    left %= unit.nanoseconds;
  }
  return result;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 9> kSizes{
      {{"", 1},
       {"B", 1},
       {"kB", 1e3},
       {"KB", 1e3},
       {"MB", 1e6},
       {"GB", 1e9},
       {"KiB", 1024.0},
       {"MiB", 1024.0 * 1024},
       {"GiB", 1024.0 * 1024 * 1024}}};
  const auto value = take_number(text);
  const auto* const unit = std::find_if(kSizes.begin(), kSizes.end(),
                                        [&](const auto& size) { return size.first == text; });
  if (!value || unit == kSizes.end() || *value * unit->second > 1e18) return std::nullopt;
  return static_cast<std::uint64_t>(*value * unit->second);
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i + 1;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t change = diagonal + (lower(word[i]) == lower(candidate[j]) ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 33U;
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33U);
}

bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> result;
  for (;;) {
    const std::size_t at = text.find(separator);
    result.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return result;
    text.remove_prefix(at + 1);
  }
}

}  // namespace ua
