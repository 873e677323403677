// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/escape.h"

#include <limits>
#include <string>

#include "tests/catch.h"

namespace ua {
namespace {

std::string value(std::string_view bytes) {
  std::string out;
  append_label_value(out, bytes);
  return out;
}

std::string help(std::string_view bytes, bool escape_quotes) {
  std::string out;
  append_help(out, bytes, escape_quotes);
  return out;
}

TEST_CASE("names keep what is valid and replace the rest") {
  CHECK(metric_name("upstream_up") == "upstream_up");
  CHECK(metric_name("a:b-c d") == "a:b_c_d");
  CHECK(metric_name("9lives") == "_9lives");
  CHECK(metric_name("") == "_");
  CHECK(metric_name("\xC3\xA9") == "__");
  CHECK(label_name("a:b") == "a_b");
  CHECK(label_name("__name__") == "_name__");
  CHECK(label_name("___") == "_");
  CHECK(label_name("") == "_");
  CHECK(label_name("0") == "_0");
}

TEST_CASE("label values are escaped and valid UTF-8 without control characters") {
  CHECK(value("a\\b\"c\nd") == "a\\\\b\\\"c\\nd");
  CHECK(value("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") ==
        "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(value("a\xFF"
              "b") == "a" + mark + "b");
  CHECK(value("\xC0\xAF") == mark + mark);                        // overlong slash
  CHECK(value("\xE0\x80\xAF") == mark + mark + mark);             // overlong in three bytes
  CHECK(value("\xED\xA0\x80") == mark + mark + mark);             // surrogate
  CHECK(value("\xF4\x90\x80\x80") == mark + mark + mark + mark);  // above U+10FFFF
  CHECK(value("\xE2\x82") == mark + mark);                        // cut
  CHECK(value(std::string_view("\0\x1b\r\t\x7f", 5)) == mark + mark + mark + mark + mark);
  CHECK(value("\xC2\x85") == mark);  // C1 next line
}

TEST_CASE("HELP escapes the double quote in OpenMetrics only") {
  CHECK(help("say \"hi\"\nC:\\", false) == "say \"hi\"\\nC:\\\\");
  CHECK(help("say \"hi\"\nC:\\", true) == "say \\\"hi\\\"\\nC:\\\\");
}

TEST_CASE("a cut never splits a code point") {
  CHECK(cut_utf8("abc", 3) == "abc");
  CHECK(cut_utf8("abc", 2) == "ab");
  CHECK(cut_utf8("a\xE2\x82\xAC", 3) == "a");
  CHECK(cut_utf8("\xE2\x82\xAC", 2).empty());
}

TEST_CASE("bounds are written as Prometheus does") {
  CHECK(bound_text(0.005) == "0.005");
  CHECK(bound_text(1) == "1.0");
  CHECK(bound_text(2.5) == "2.5");
  CHECK(bound_text(10) == "10.0");
  CHECK(bound_text(100000) == "100000.0");
  CHECK(bound_text(1e6) == "1e+06");
  CHECK(bound_text(1234567) == "1.234567e+06");
  CHECK(bound_text(0.0001) == "0.0001");
  CHECK(bound_text(0.00001) == "1e-05");
  CHECK(bound_text(0) == "0.0");
  CHECK(bound_text(-0.5) == "-0.5");
  CHECK(bound_text(std::numeric_limits<double>::infinity()) == "+Inf");
}

TEST_CASE("a label block has each name once") {
  LabelBlock block;
  CHECK(block.add("upstream", "a\"b"));
  CHECK(block.add("team", ""));
  CHECK_FALSE(block.add("upstream", "c"));
  CHECK(block.add("a-b", "1"));
  CHECK_FALSE(block.add("a.b", "2"));
  CHECK(block.text() == "upstream=\"a\\\"b\",team=\"\",a_b=\"1\"");
}

}  // namespace
}  // namespace ua
