// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/text.h"

#include <array>

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("durations as people write them") {
  CHECK(parse_duration("5s") == 5s);
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("1m30s") == 90s);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("1d") == 24h);
  for (const char* bad : {"", "5", "s", "5x", "-1s", "5 s", "1e3s", "99999999999999h", "1..5s",
                          "5.s", "1s1h", "1s1s", "1h 5m", "0x5s", "+5s", "infs", "5S"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad));
  }
  for (const Duration value : {Duration(1ms), Duration(90s), Duration(24h + 1us), Duration(0)}) {
    CHECK(parse_duration(format_duration(value)) == value);
  }
}

TEST_CASE("sizes as people write them") {
  CHECK(parse_size("512") == 512);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("1MiB") == 1048576);
  CHECK(parse_size("10kB") == 10000);
  for (const char* bad : {"", "MiB", "1 MiB", "-5", "1TiB"}) {
    INFO(bad);
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("untrusted bytes become one printable line") {
  CHECK(escape_line("plain \xc3\xa4 text") == "plain \xc3\xa4 text");
  CHECK(escape_line("a\nb\x1b[31m\x7f") == "a\\x0ab\\x1b[31m\\x7f");
  CHECK(escape_line("\xff\xc3") == "\\xff\\xc3");
  CHECK(escape_line("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // right-to-left override
  CHECK(escape_line("\xc2\x9b") == "\\xc2\\x9b");           // C1 control sequence introducer
  CHECK(escape_line("abcdef", 3) == "abc...");
}

TEST_CASE("a URL is shown without what may be secret in it") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"http://a:80/x", "http://a:80/x"},
      {"", ""},
      {"a:80", "a:80"},
      {"http://user:secret@a:80/x", "http://***@a:80/x"},
      {"user:secret@a:5432", "***@a:5432"},
      {"http://a/x?token=secret", "http://a/x?..."},
      {"http://a/x#token=secret", "http://a/x?..."},
      {"http://a?", "http://a?..."},
      {"http://user:secret@a/?token=secret", "http://***@a/?..."},
      {"http://user:sec/ret@a/", "http://***@a/"},
      {"http://user:sec@ret@a/", "http://***@a/"},
      {"http://user:sec?ret@a/", "http://***"},
      {"http://a/?mail=me@b&token=secret", "http://***"},
      {"user:sec?ret@a", "***"},
      {"a/?next=http://user:secret@b", "a/***"},
      {"a/?next=http://b", "a/?..."},
      {"user:secret@http://a", "***@http://a"},
      {"/p?tok=secret", "/p?..."},
  };
  for (const auto& [url, wanted] : rows) {
    CAPTURE(url);
    CHECK(without_secrets(url) == wanted);
  }
}

TEST_CASE("what hides or reorders text on a terminal is shown as bytes") {
  for (const char* hidden : {"\xe2\x80\x8b", "\xe2\x81\xa6", "\xef\xbb\xbf", "\xe2\x80\xa8",
                             "\xd8\x9c", "\xe1\xa0\x8e", "\xef\xbf\xb9", "\xf3\xa0\x81\x81"}) {
    CHECK(escape_line(hidden).substr(0, 2) == "\\x");
  }
  // their neighbours
  for (const char* shown :
       {"\xd8\x9b", "\xd8\x9d", "\xe1\xa0\x8d", "\xef\xbf\xbc", "\xc2\xa0", "\xf3\xa0\x84\x80"}) {
    CHECK(escape_line(shown) == shown);
  }
  CHECK(escape_line("a\\b") == "a\\b");
  CHECK(escape_line(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(escape_line("\xc3\xa4", 1) == "\\xc3...");  // cut inside a character
}

TEST_CASE("small helpers") {
  CHECK(iequals("Content-Type", "content-type"));
  CHECK_FALSE(iequals("a", "ab"));
  CHECK(to_lower("HTTP+Unix") == "http+unix");
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim(" \n").empty());
  CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
}

TEST_CASE("the nearest word, only where it is near") {
  constexpr std::array<std::string_view, 3> kWords{"interval", "timeout", "targets"};
  CHECK(nearest("intervall", kWords) == "interval");
  CHECK(nearest("tiemout", kWords) == "timeout");
  CHECK_FALSE(nearest("service", kWords));
}

}  // namespace
}  // namespace ua
