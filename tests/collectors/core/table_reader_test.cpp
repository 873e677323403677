// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/table_reader.h"

#include <array>

#include "tests/catch.h"

namespace ua {
namespace {

/// Every mistake as text, in the order in which it was found.
std::vector<std::string> mistakes(std::string_view content,
                                  const std::function<void(TableReader&)>& read) {
  const toml::table document = toml::parse(content, std::string_view("a.toml"));
  Diagnostics diagnostics;
  TableReader root(document, diagnostics, "a.toml", "");
  read(root);
  root.finish();
  std::vector<std::string> result;
  for (const Diagnostic& diagnostic : diagnostics) result.push_back(diagnostic.text());
  return result;
}

using Texts = std::vector<std::string>;
constexpr std::array<std::string_view, 3> kWords{"any", "first", "all"};

TEST_CASE("values of the right type are read and leave no mistake") {
  const auto found = mistakes(R"(
    text = "t"
    flag = true
    count = 3
    wait = "5s"
    size = "1KiB"
    bytes = 12
    word = "first"
    list = ["a", "b"]
    lone = "a"
    pairs = { b = "2", a = "1" }
    [inner]
    x = 1
    [[many]]
    y = 1
    [[many]]
    y = 2)",
                              [](TableReader& root) {
                                CHECK(root.text("text") == "t");
                                CHECK(root.boolean("flag") == true);
                                CHECK(root.integer("count", 1, 3) == 3);
                                CHECK(root.duration("wait", 1s, 5s) == 5s);
                                CHECK(root.size("size", 1, 1024) == 1024);
                                CHECK(root.size("bytes", 1, 1024) == 12);
                                CHECK(root.choice("word", kWords) == 1);
                                CHECK(root.texts("list")->at(1).text == "b");
                                CHECK(root.texts("lone")->at(0).text == "a");
                                CHECK(root.text_pairs("pairs").front().value == "1");
                                auto inner = root.table("inner");
                                CHECK(inner->integer("x", 0, 1) == 1);
                                auto many = root.tables("many");
                                REQUIRE(many.size() == 2);
                                CHECK(many[1].integer("y", 0, 9) == 2);
                                CHECK_FALSE(root.text("absent"));
                              });
  CHECK(found == Texts{});
}

TEST_CASE("each mistake has its place, what is expected and what was found") {
  const auto found = mistakes(R"(text = 5
flag = "yes"
count = 1.5
wide = 99
wait = 5
long = "9h"
odd = "5 seconds"
size = "1 MiB"
large = "1GiB"
word = "fist"
list = ["a", 5, { }]
pairs = { a = 1, "b\n" = 2 })",
                              [](TableReader& root) {
                                root.text("text");
                                root.boolean("flag");
                                root.integer("count", 1, 3);
                                root.integer("wide", 1, 3);
                                root.duration("wait", 1s, 1h);
                                root.duration("long", 1s, 1h);
                                root.duration("odd", 1s, 1h);
                                root.size("size", 1, 1024);
                                root.size("large", 1, 1024);
                                root.choice("word", kWords);
                                root.texts("list");
                                root.text_pairs("pairs");
                              });
  CHECK(found ==
        Texts{"a.toml:1:8: text: expected a text in quotes, found an integer",
              "a.toml:2:8: flag: expected true or false, found a text",
              "a.toml:3:9: count: expected an integer, found a decimal number",
              "a.toml:4:8: wide: 99 is out of range; it goes from 1 to 3",
              "a.toml:5:8: wait: expected a duration such as \"5s\" or \"250ms\", found an integer",
              "a.toml:6:8: long: 9h is out of range; it goes from 1s to 1h",
              "a.toml:7:7: odd: '5 seconds' is no duration; write a number with a unit, such as "
              "\"5s\" or \"250ms\"",
              "a.toml:8:8: size: expected a size such as \"1MiB\", \"64KiB\" or a number of bytes",
              "a.toml:9:9: large: 1073741824 bytes is out of range; it goes from 1 to 1024",
              "a.toml:10:8: word: 'fist' is not one of any, first, all; did you mean 'first'?",
              "a.toml:11:14: list: expected a text in quotes, found an integer",
              "a.toml:11:17: list: expected a text in quotes, found a table",
              "a.toml:12:15: pairs.a: expected a text in quotes, found an integer",
              "a.toml:12:26: pairs.b\\x0a: expected a text in quotes, found an integer"});
}

TEST_CASE("tables of the wrong shape") {
  const auto found =
      mistakes("inner = 1\nmany = 2\nmixed = [1, {}]\n[single]\n", [](TableReader& root) {
        CHECK_FALSE(root.table("inner"));
        CHECK(root.tables("many").empty());
        CHECK(root.tables("mixed").size() == 1);
        CHECK(root.tables("single").empty());
      });
  CHECK(found == Texts{"a.toml:1:9: inner: expected a table, found an integer",
                       "a.toml:2:8: many: is a list of tables; write [[many]]",
                       "a.toml:3:10: mixed: expected a table, found an integer",
                       "a.toml:4:1: single: is a list of tables; write [[single]]"});
}

TEST_CASE("keys that nobody asked for are mistakes, with the nearest known one") {
  const auto found =
      mistakes("[up]\nintervall = 1\nzzz = 1\n\"a\\nb\" = 1\n", [](TableReader& root) {
        auto up = root.table("up");
        up->text("interval");
        up->finish();
      });
  CHECK(found == Texts{"a.toml:4:1: unknown key 'up.a\\x0ab'",
                       "a.toml:2:1: unknown key 'up.intervall'; did you mean 'interval'?",
                       "a.toml:3:1: unknown key 'up.zzz'"});
}

TEST_CASE("what a later version will know is not called unknown") {
  const auto found = mistakes("[up]\ntail = 1\n", [](TableReader& root) {
    auto up = root.table("up");
    up->not_yet("tail");
    up->not_yet("proxy");
    up->finish();
  });
  CHECK(found == Texts{"a.toml:2:8: up.tail: not supported by this version"});
}

TEST_CASE("a file's name is escaped like any other text") {
  CHECK(Diagnostic{"a\n.toml", 0, 0, "x"}.text() == "a\\x0a.toml:1:1: x");
}

}  // namespace
}  // namespace ua
