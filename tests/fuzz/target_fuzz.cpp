// SPDX-License-Identifier: Apache-2.0
// Targets and listen addresses as an operator or another program's configuration writes them, and
// the commands made of them. First line: a service's name; the rest: the URL.
#include "collectors/probes/target.h"

#include <vector>

#include "agent/config/listen_address.h"
#include "agent/diagnosis/first_check.h"
#include "collectors/core/shell_quote.h"
#include "collectors/core/text.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/probe_types.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

/// The URL that the parts make.
std::string url_of(const Target& target) {
  if (!target.is_unix()) return target.scheme + "://" + target.authority() + target.path;
  return target.scheme + "://" + target.unix_path + (target.path.empty() ? "" : ':' + target.path);
}

void check_round_trip(const Target& target) {
  const Result<Target> again = parse_target(url_of(target));
  expect(again.has_value(), "a target's parts make a target");
  expect_same(again->scheme, target.scheme, "the scheme is read back");
  expect_same(again->host, target.host, "the host is read back");
  expect_same(again->unix_path, target.unix_path, "the socket is read back");
  expect_same(again->path, target.path, "the path is read back");
  expect(again->port == target.port, "the port is read back");
}

/// The words that a POSIX shell makes of a command; operators are words. Knows what our commands
/// use: blanks, single quotes, a backslash, and operators of one character.
class ShellReader {
 public:
  static std::vector<std::string> words(std::string_view command) {
    ShellReader reader;
    while (!command.empty()) reader.step(command);
    return std::move(reader.words_);
  }

 private:
  void step(std::string_view& rest) {
    constexpr std::string_view kOperators = ";|<>()&";
    const char c = rest[0];
    rest.remove_prefix(1);
    const bool is_operator = kOperators.find(c) != std::string_view::npos;
    if (c == ' ' || is_operator) {
      open_ = false;
      if (is_operator) words_.emplace_back(1, c);
      return;
    }
    if (!open_) words_.emplace_back();
    open_ = true;
    if (c == '\'') {
      words_.back() += take_quoted(rest);
    } else if (c == '\\') {
      expect(!rest.empty(), "a backslash has something to escape");
      words_.back() += rest[0];
      rest.remove_prefix(1);
    } else {
      words_.back() += c;
    }
  }

  static std::string_view take_quoted(std::string_view& rest) {
    const std::size_t end = rest.find('\'');
    expect(end != std::string_view::npos, "quotes are closed");
    const std::string_view inside = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return inside;
  }

  std::vector<std::string> words_;
  bool open_ = false;
};

void check_quote(std::string_view value) {
  if (value.find('\0') != std::string_view::npos) return;  // no argument can hold it
  const auto words = ShellReader::words(shell_quote(value));
  expect(words.size() == 1, "a quoted value is one word");
  expect_same(words[0], value, "a quoted value is that value");
}

/// However hostile the values, the command has the words of the same one with plain values.
void check_commands(const Target& target, std::string_view service) {
  Target plain = target;
  plain.host = target.is_unix() ? "" : "h";
  plain.unix_path = target.is_unix() ? "/s" : "";
  plain.path = target.path.empty() ? "" : "/";
  plain.label = "u";
  for (const ErrorClassInfo& row : catalogue()) {
    const auto hostile = ShellReader::words(fill_command(row, target, service));
    const auto expected = ShellReader::words(fill_command(row, plain, service.empty() ? "" : "s"));
    expect(hostile.size() == expected.size(), "a value does not add a word to a command");
  }
}

void check_listen_address(std::string_view bytes) {
  const Result<ListenAddress> address = parse_listen_address(bytes);
  if (!address) {
    expect(is_printable_line(address.error().message), "a message is a printable line");
  } else if (!address->unix_path.empty()) {
    expect(address->unix_path.find('\0') == std::string::npos, "a socket's path has no NUL");
    expect_same("unix:" + address->unix_path, bytes, "a socket is read as it is written");
  } else if (!address->host.empty()) {
    const auto endpoint = ip_endpoint(address->host, address->port);
    expect(endpoint.has_value(), "a listen address is an address");
    expect(address->host.find('\0') == std::string::npos, "an address has no NUL");
  }
}

}  // namespace

void target(std::string_view bytes) {
  Input input(bytes);
  const std::string_view service = input.line();
  const std::string_view url = input.rest();
  check_quote(url);
  check_listen_address(url);
  const Result<Target> parsed = parse_target(url);
  if (!parsed) {
    expect(is_printable_line(parsed.error().message), "a message is a printable line");
    expect(parsed.error().message.size() < 2000, "a message is short");
    return;
  }
  check_target(*parsed);
  expect(url.starts_with(parsed->label), "the label is the URL as it is written");
  check_round_trip(*parsed);
  check_commands(*parsed, service);
}

}  // namespace ua::fuzz
