// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/page_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

using Labels = std::map<std::string, std::string>;

bool is_name(std::string_view text, bool colons) {
  const auto letter = [colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

std::vector<std::string_view> suffixes(std::string_view type) {
  if (type == "counter") return {"_total", "_created"};
  if (type == "histogram") return {"_bucket", "_sum", "_count", "_created"};
  if (type == "summary") return {"", "_sum", "_count", "_created"};
  return {""};
}

double number(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  expect(end == text.data() + text.size() && !text.empty(), "a value is a number and nothing else");
  expect(error == std::errc(), "a value is in range");
  return value;
}

class Reader {
 public:
  Reader(std::string_view page, ExpositionFormat format)
      : page_(page), open_(format == ExpositionFormat::openmetrics) {}

  std::vector<PageFamily> read() {
    while (!page_.empty() && !ended_) line();
    expect(page_.empty(), "nothing follows the end");
    expect(ended_ == open_, "OpenMetrics ends with # EOF, text does not");
    for (const PageFamily& family : families_) check_family(family);
    return std::move(families_);
  }

 private:
  void line() {
    const std::size_t end = page_.find('\n');
    expect(end != std::string_view::npos, "a line ends with a newline");
    const std::string_view text = page_.substr(0, end);
    page_.remove_prefix(end + 1);
    expect(!text.empty(), "no line is empty");
    expect(is_utf8(text), "a page is UTF-8");
    expect(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; }),
           "a page has no control characters");
    if (text == "# EOF") {
      ended_ = true;
    } else if (text.starts_with("# HELP ")) {
      help(text.substr(7));
    } else if (text.starts_with("# TYPE ")) {
      type(text.substr(7));
    } else {
      expect(text[0] != '#', "no comments but HELP and TYPE");
      sample(text);
    }
  }

  static std::string_view word(std::string_view& rest) {
    const std::size_t space = rest.find(' ');
    expect(space != std::string_view::npos, "a space follows the name");
    const std::string_view result = rest.substr(0, space);
    rest.remove_prefix(space + 1);
    return result;
  }

  void help(std::string_view rest) {
    expect(help_of_.empty(), "HELP stands before TYPE, once");
    help_of_ = word(rest);
    std::string text;
    while (!rest.empty()) text += character(rest, open_);
    help_ = std::move(text);
  }

  void type(std::string_view rest) {
    const std::string name(word(rest));
    expect(is_name(name, true), "a family's name is a name");
    expect(help_of_.empty() || help_of_ == name, "HELP and TYPE name the same family");
    help_of_.clear();
    families_.push_back({name, std::string(rest), std::exchange(help_, ""), {}});
    const std::vector<std::string_view> known{"counter", "gauge", "histogram", "summary",
                                              open_ ? "unknown" : "untyped"};
    expect(std::find(known.begin(), known.end(), rest) != known.end(), "a type is a known one");
    reserve(families_.back());
  }

  /// No name that a family's samples may have is another family's. In the text format a counter's
  /// name has its suffix already.
  void reserve(const PageFamily& family) {
    expect(taken_.insert(family.name).second, "no two families clash");
    if (!open_ && family.type == "counter") return;
    for (const std::string_view suffix : suffixes(family.type)) {
      if (suffix.empty() || (!open_ && suffix == "_created")) continue;
      expect(taken_.insert(family.name + std::string(suffix)).second, "no two families clash");
    }
  }

  /// Takes one character, or an escape, off the front.
  static std::string character(std::string_view& rest, bool quotes) {
    const std::size_t bytes = well_formed(rest);
    std::string result(rest.substr(0, bytes));
    rest.remove_prefix(bytes);
    expect(!quotes || result != "\"", "a quote is escaped");
    if (result != "\\") return result;
    expect(!rest.empty(), "an escape has two characters");
    const char c = rest.front();
    rest.remove_prefix(1);
    expect(c == '\\' || c == 'n' || (c == '"' && quotes), "an escape is a known one");
    return std::string(1, c == 'n' ? '\n' : c);
  }

  static Labels labels(std::string_view& rest) {
    Labels result;
    while (true) {
      const std::size_t equals = rest.find("=\"");
      expect(equals != std::string_view::npos, "a label has a value in quotes");
      const std::string name(rest.substr(0, equals));
      expect(is_name(name, false), "a label's name is a name");
      expect(!name.starts_with("__"), "names with two underscores are Prometheus' own");
      rest.remove_prefix(equals + 2);
      std::string value;
      while (!rest.empty() && rest[0] != '"') value += character(rest, true);
      expect(!rest.empty(), "a value ends with a quote");
      expect(result.emplace(name, std::move(value)).second, "no label stands twice");
      rest.remove_prefix(1);
      expect(!rest.empty() && (rest[0] == ',' || rest[0] == '}'), "a comma or a brace follows");
      const bool last = rest[0] == '}';
      rest.remove_prefix(1);
      if (last) return result;
    }
  }

  void sample(std::string_view text) {
    expect(!families_.empty() && help_of_.empty(), "a sample follows its family's TYPE");
    PageSample result;
    const std::size_t end = std::min(text.find_first_of("{ "), text.size());
    result.name = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with('{')) {
      text.remove_prefix(1);
      result.labels = labels(text);
    }
    expect(text.starts_with(' '), "a space stands before the value");
    result.value = number(text.substr(1));
    expect(series_.emplace(result.name, result.labels).second, "no series stands twice");
    families_.back().samples.push_back(std::move(result));
  }

  void check_family(const PageFamily& family) const {
    expect(!family.samples.empty(), "a family has samples");
    for (const PageSample& one : family.samples) {
      expect(one.name.starts_with(family.name), "a sample has its family's name");
      const std::string_view suffix = std::string_view(one.name).substr(family.name.size());
      const auto allowed = suffixes(family.type);
      const bool whole_name = !open_ && family.type == "counter";
      expect(whole_name ? suffix.empty()
                        : std::find(allowed.begin(), allowed.end(), suffix) != allowed.end(),
             "a sample has a suffix of its family's type");
      check_value(family, one, suffix);
    }
    if (family.type == "histogram") check_buckets(family);
  }

  static void check_value(const PageFamily& family, const PageSample& one,
                          std::string_view suffix) {
    if (family.type == "counter" || suffix == "_bucket" || suffix == "_count") {
      expect(one.value >= 0, "a counter is not negative");
    }
    const bool bucket = family.type == "histogram" && suffix == "_bucket";
    expect(one.labels.contains("le") == bucket || family.type != "histogram",
           "a histogram's buckets have a bound, and nothing else has");
    const bool quantile = family.type == "summary" && suffix.empty();
    expect(one.labels.contains("quantile") == quantile || family.type != "summary",
           "a summary's quantiles have one, and nothing else has");
  }

  static void check_buckets(const PageFamily& family) {
    std::map<Labels, std::vector<std::pair<double, double>>> by_series;
    std::map<Labels, double> counts;
    for (const PageSample& one : family.samples) {
      Labels labels = one.labels;
      if (one.name.ends_with("_count")) counts[labels] = one.value;
      if (!one.name.ends_with("_bucket")) continue;
      const double bound = number(labels.extract("le").mapped());
      by_series[labels].emplace_back(bound, one.value);
    }
    for (const auto& [labels, buckets] : by_series) {
      expect(std::is_sorted(buckets.begin(), buckets.end()), "buckets rise");
      expect(std::is_sorted(buckets.begin(), buckets.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; }),
             "buckets accumulate");
      expect(std::isinf(buckets.back().first), "the last bucket is +Inf");
      const auto count = counts.find(labels);
      if (count != counts.end()) {
        expect(count->second == buckets.back().second, "the last bucket holds the count");
      }
    }
  }

  std::string_view page_;
  bool open_;
  bool ended_ = false;
  std::string help_of_;
  std::string help_;
  std::vector<PageFamily> families_;
  std::set<std::string> taken_;
  std::set<std::pair<std::string, Labels>> series_;
};

}  // namespace

std::vector<PageFamily> read_page(std::string_view page, ExpositionFormat format) {
  return Reader(page, format).read();
}

std::size_t bytes_of_series(std::string_view page) {
  std::size_t result = 0;
  for (const std::string_view line : split(page, '\n')) {
    if (!line.empty() && line[0] != '#') result += line.size() + 1;
  }
  return result;
}

}  // namespace ua::fuzz
