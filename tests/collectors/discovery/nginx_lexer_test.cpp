// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_lexer.h"

#include "collectors/discovery/nginx_config.h"
#include "tests/catch.h"

namespace ua {
namespace {

/// The words, each between bars; the other tokens as they are written.
std::string tokens(std::string_view text) {
  std::string result;
  NginxLexer lexer(text);
  while (const auto token = lexer.next()) {
    switch (token->kind) {
      case NginxToken::Kind::word:
        result += '|' + token->text + '|';
        break;
      case NginxToken::Kind::end:
        result += ';';
        break;
      case NginxToken::Kind::open:
        result += '{';
        break;
      case NginxToken::Kind::close:
        result += '}';
        break;
    }
  }
  return result;
}

// Each was put to nginx 1.22: set $v WORD; return 200 $v;
TEST_CASE("words are taken apart as nginx does it") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"(a\"b;)", R"(|a"b|;)"},
      {R"("a\"b";)", R"(|a"b|;)"},
      {R"("a'b" 'a"b' 'a\'b';)", R"(|a'b||a"b||a'b|;)"},
      {R"(a\tb "a\r\n";)", "|a\tb||a\r\n|;"},
      {R"("a\xb\/" a\ b a\;b a\{b;)", R"(|a\xb\/||a\ b||a\;b||a\{b|;)"},
      {R"(\"a a\\b "a\\\\b" \ a;)", R"(|"a||a\b||a\\b||\ a|;)"},
      {R"(a"b a'b a#b a}b a}b};)", R"(|a"b||a'b||a#b||a}b||a}b}|;)"},
      {"${host}x a${host}b;", "|${host}x||a${host}b|;"},
      {"$host{x", "|$host|{|x|"},
      {"a{b;}", "|a|{|b|;}"},
      {"\"a{b}\" \"\" \"a\nb\";", "|a{b}||||a\nb|;"},
      {"a\r\n;\r\n#c;\r\nb\t;", "|a|;|b|;"},
      {"a # c }\n;", "|a|;"},
      {"a\x0b\x0c\xa0;", "|a\x0b\x0c\xa0|;"},
      {"a\\", "|a\\|"},
      {"\"a", "|a|"},
      {"\"a\\", "|a\\|"},
  };
  for (const auto& [text, wanted] : rows) {
    CAPTURE(text);
    CHECK(tokens(text) == wanted);
  }
}

TEST_CASE("lines are counted over quotes, comments and Lua") {
  const NginxConfig config = parse_nginx(
      "a \"1\n2\" # x\n;\r\nb { # }\nc 'x\\\ny'; }\nx_by_lua_block { --[[\n\n]] }\nd;", "f");
  REQUIRE(config.directives.size() == 4);
  CHECK(config.directives[0].line == 1);
  CHECK(config.directives[1].line == 4);
  CHECK(config.directives[1].block[0].line == 5);
  CHECK(config.directives[3].line == 10);
  CHECK(config.problems.empty());
}

// Each was put to nginx 1.22 with the Lua module: all but the last are answered, as is what
// follows.
TEST_CASE("a brace in Lua's strings and comments does not end its block") {
  const std::string_view bodies[] = {
      R"(ngx.say("} proxy_pass http://evil;"))",
      R"(ngx.say('} x {'))",
      R"(ngx.say("\"} \\") ngx.say('\'}'))",
      "ngx.say([[ } { ]])",
      "ngx.say([==[ } ]] ]=] ]==])",
      "local t={} t[ [[}]] ]=1",
      "local t={a={1}} ngx.say(t.a[1])",
      "ngx.say(#\"}\" ..[=[x}]=])",
      "-- } it's {\nngx.say(1)",
      "--[[ } \n } ]] ngx.say(1)",
      "--[==[ } ]] } ]==] ngx.say(1)",
      "ngx.say(5--[=x }\n)",
      "local a = 5 - 1 -- \"\n",
      "ngx.say(\"unclosed)",
  };
  for (const std::string_view body : bodies) {
    CAPTURE(body);
    const NginxConfig config =
        parse_nginx("content_by_lua_block { " + std::string(body) + " } after;", "f");
    REQUIRE(config.directives.size() == 2);
    CHECK(config.directives[1].name == "after");
    CHECK(config.problems.empty());
  }
  // A string ends with its line at the latest, whatever its last character is.
  const NginxConfig refused = parse_nginx("set_by_lua_block $x { \"a\\\n} b\" } z;", "f");
  CHECK(refused.problems ==
        std::vector<std::string>{"f:2: a directive is not ended by ';'", "f:2: '}' without '{'"});
  CHECK(parse_nginx("x_by_lua_block {\n[[ } } after;", "f").problems ==
        std::vector<std::string>{"f:1: a block of Lua is not closed"});
}

TEST_CASE("what is not ended is told") {
  CHECK(parse_nginx("a { b; }\nuser \"x;", "f").problems ==
        std::vector<std::string>{
            "f:2: a quote that begins here is not closed; the rest is left out"});
  CHECK(parse_nginx("a {\nb", "f").problems ==
        std::vector<std::string>{"f:2: a directive is not ended by ';'",
                                 "f:1: a block is not closed"});
}

TEST_CASE("a byte order mark is told and passed over") {
  const NginxConfig config = parse_nginx("\xef\xbb\xbfhttp { }", "f");
  REQUIRE(config.directives.size() == 1);
  CHECK(config.directives[0].name == "http");
  CHECK(config.problems ==
        std::vector<std::string>{"f:1: begins with a byte order mark, which nginx refuses"});
}

}  // namespace
}  // namespace ua
