// SPDX-License-Identifier: Apache-2.0
// Log lines with hostile values, read back as a log collector would.
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/logging.h"
#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

/// The values of `key=value key="va\"lue"`.
std::vector<std::string> logfmt_values(std::string_view line) {
  std::vector<std::string> result;
  while (!line.empty()) {
    const std::size_t equals = line.find('=');
    expect(equals != std::string_view::npos, "a field has a key");
    expect(line.substr(0, equals).find_first_of(" \"") == std::string_view::npos,
           "a key is a word");
    line.remove_prefix(equals + 1);
    std::string value;
    if (line.starts_with('"')) {
      line.remove_prefix(1);
      while (!line.empty() && line[0] != '"') {
        if (line[0] == '\\') line.remove_prefix(1);
        expect(!line.empty(), "an escape has two characters");
        value += line[0];
        line.remove_prefix(1);
      }
      expect(!line.empty(), "quotes are closed");
      line.remove_prefix(1);
    } else {
      value = line.substr(0, line.find(' '));
      line.remove_prefix(value.size());
    }
    expect(line.empty() || line[0] == ' ', "a blank follows a value");
    if (!line.empty()) line.remove_prefix(1);
    result.push_back(std::move(value));
  }
  return result;
}

}  // namespace

void log_line(std::string_view bytes) {
  Input input(bytes);
  const std::string_view message = input.text();
  const std::string first(input.text());
  const std::string second(input.rest());
  const std::vector<std::string> shown{escape_line(message), escape_line(first),
                                       escape_line(second)};

  const std::string logfmt = logfmt_line(message, {{"a", first}, {"b", second}});
  expect(is_printable_line(logfmt), "a log line is printable");
  expect(logfmt_values(logfmt) == shown, "logfmt is read back");

  const std::string json = json_line(message, {{"a", first}, {"b", second}});
  expect(is_printable_line(json), "a log line is printable");
  const auto object = nlohmann::json::parse('{' + json + '}', nullptr, false);
  expect(object.is_object() && object.size() == 3, "JSON is JSON");
  expect_same(object["msg"].get<std::string>(), shown[0], "JSON is read back");
  expect_same(object["a"].get<std::string>(), shown[1], "JSON is read back");
  expect_same(object["b"].get<std::string>(), shown[2], "JSON is read back");
}

}  // namespace ua::fuzz
