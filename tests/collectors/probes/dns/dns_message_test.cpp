// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_message.h"

#include <string>

#include "collectors/probes/dns/dns_judge.h"
#include "tests/catch.h"

namespace ua {
namespace {

using namespace std::string_literals;
using Kind = DnsAnswer::Kind;

const DnsQuestion kQuestion{"a.Test", 1, true};
const std::string kAsked = "\1a\4test\0\0\1\0\1"s;

std::string number(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}

std::string reply(const std::string& records, unsigned count, unsigned flags = 0x8180) {
  return "\x12\x34"s + number(flags) + number(1) + number(count) + "\0\0\0\0"s + kAsked + records;
}

std::string record(unsigned type, const std::string& data, const std::string& owner = "\xc0\x0c") {
  return owner + number(type) + "\0\1\0\0\0\x3c"s + number(static_cast<unsigned>(data.size())) +
         data;
}

DnsAnswer read(const std::string& message) { return read_dns_answer(message, kQuestion, 0x1234); }

/// The data of the one record of a reply; its kind where it is none.
std::string data(unsigned type, const std::string& bytes) {
  const DnsAnswer answer = read(reply(record(type, bytes), 1));
  if (answer.kind != Kind::reply) return "malformed";
  const std::string& text = answer.records.at(0);
  return text.substr(text.rfind('\t') + 1);
}

TEST_CASE("a question to a name server is one question and what EDNS0 asks for") {
  CHECK(dns_query({"a.test.", 28, true}, 0x1234) ==
        "\x12\x34\1\0\0\1\0\0\0\0\0\1\1a\4test\0\0\x1c\0\1\0\0\x29\4\xd0\0\0\0\0\0\0"s);
  CHECK(dns_query({".", 2, false}, 1) ==
        "\0\1\0\0\0\1\0\0\0\0\0\1\0\0\2\0\1\0\0\x29\4\xd0\0\0\0\0\0\0"s);
}

TEST_CASE("records read as zone files have them") {
  const DnsAnswer answer = read(reply(record(1, "\x7f\0\0\1"s) + record(5, "\1b\xc0\x0c"), 2));
  CHECK(answer.kind == Kind::reply);
  CHECK(answer.records == std::vector<std::string>{"a.test.\t60\tIN\tA\t127.0.0.1",
                                                   "a.test.\t60\tIN\tCNAME\tb.a.test."});
  CHECK(data(28, std::string(15, '\0') + '\1') == "::1");
  CHECK(data(2, "\0"s) == ".");
  CHECK(data(6, "\1m\xc0\x0c\1h\xc0\x0c\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"s) ==
        "m.a.test. h.a.test. 1 2 3 4 5");
  CHECK(data(12, "\3x.y\xc0\x0c") == "x\\.y.a.test.");
  CHECK(data(15, "\0\x0a\xc0\x0c"s) == "10 a.test.");
  CHECK(data(16, "\3a\"b\0\2\x7f;"s) == "\"a\\\"b\" \"\" \"\\127;\"");
  CHECK(data(33, "\0\1\0\2\x1f\x90\xc0\x0c"s) == "1 2 8080 a.test.");
  CHECK(data(257, "\0\5issueca.test"s) == "0 issue \"ca.test\"");
  CHECK(data(43, "\1\xff"s) == "\\# 2 01ff");
  CHECK(data(43, "") == "\\# 0");
}

TEST_CASE("a record that is broken makes the reply malformed") {
  CHECK(data(1, "\x7f\0\0"s) == "malformed");
  CHECK(data(1, "\x7f\0\0\1\1"s) == "malformed");
  CHECK(data(2, "\1b") == "malformed");
  CHECK(data(16, "\4abc") == "malformed");
  CHECK(data(257, "\0\x09issue"s) == "malformed");
  CHECK(data(2,
             "\x40"
             "b\0"s) == "malformed");            // reserved
  CHECK(data(2, "\xc0\x26") == "malformed");     // to itself
  CHECK(data(2, "\xc0\xff") == "malformed");     // ahead
  CHECK(data(2, "\1b\xc0\x26") == "malformed");  // round and round
  CHECK(read(reply(record(1, "\x7f\0\0\1"s), 2)).kind == Kind::malformed);
  std::string wide;
  for (int i = 0; i < 4; ++i) wide += '\x3f' + std::string(63, 'x');
  CHECK(data(2, wide + '\0') == "malformed");  // 257 bytes
}

TEST_CASE("pointers are followed only so far") {
  // Each leads to the one before it, the first to the name.
  const auto chain = [](int pointers) {
    std::string bytes = "\xc0\x0c";
    for (int i = 1; i < pointers; ++i) bytes += number(0xc000U | (0x24U + 2U * (i - 1U)));
    return reply(record(43, bytes) + record(2, number(0xc000U | (0x24U + 2U * (pointers - 1U)))),
                 2);
  };
  CHECK(read(chain(128)).kind == Kind::malformed);
  CHECK(read(chain(127)).kind == Kind::reply);
}

TEST_CASE("what came is the answer to the question, or it is not") {
  CHECK(read("").kind == Kind::other_id);
  CHECK(read("\x12\x35" + reply("", 0).substr(2)).kind == Kind::other_id);
  CHECK(read("\x12\x34").kind == Kind::no_reply);
  CHECK(read(reply("", 0, 0x0180)).kind == Kind::no_reply);
  CHECK(read(reply("", 0, 0xa180)).kind == Kind::no_reply);
  std::string other = reply("", 0);
  other[13] = 'b';
  CHECK(read(other).kind == Kind::other_question);
  other[13] = 'A';
  CHECK(read(other).kind == Kind::reply);
  CHECK(read(reply("", 0, 0x8380)).kind == Kind::truncated);
  const std::string bare = "\x12\x34\x81\x81\0\0\0\0\0\0\0\0"s;
  CHECK(read(bare).kind == Kind::reply);
  CHECK(read("\x12\x34\x81\x80"s + bare.substr(4)).kind == Kind::other_question);
}

TEST_CASE("the response code has its upper bits in EDNS0") {
  std::string message = reply("", 0, 0x8181);
  message[11] = 1;
  message += "\0\0\x29\4\xd0\1\0\0\0\0\0"s;
  CHECK(read(message).rcode == 17);
  CHECK(dns_rcode_name(17) == "RCODE17");
  CHECK(dns_rcode_name(3) == "NXDOMAIN");
  CHECK(dns_type_name(99) == "SPF");
  CHECK(dns_type_name(98) == "TYPE98");
}

TEST_CASE("more text than is kept is not read") {
  std::string records;
  const std::string txt = '\xff' + std::string(255, '\1');  // four characters a byte
  for (int i = 0; i < 250; ++i) records += record(16, txt);
  CHECK(read(reply(records, 250)).kind == Kind::reply);
  for (int i = 0; i < 10; ++i) records += record(16, txt);
  CHECK(read(reply(records, 260)).kind == Kind::malformed);
}

TEST_CASE("names that cannot be asked for say why") {
  CHECK(dns_name_mistake("a.test.").empty());
  CHECK(dns_name_mistake(".").empty());
  CHECK(dns_name_mistake("") == "is empty; the root is \".\"");
  CHECK(dns_name_mistake("a..b") == "has an empty part between its dots");
  CHECK(dns_name_mistake("a b") == "has spaces, '\\' or control characters");
  CHECK(dns_name_mistake("\xc3\xa9") == "is not ASCII; write it in its xn-- form");
  CHECK(dns_name_mistake(std::string(64, 'a')) == "has a part of more than 63 characters");
  CHECK(dns_name_mistake(std::string(254, 'a')) == "is longer than 253 characters");
}

TEST_CASE("silence after what is not the answer is told from silence") {
  const auto verdict = [](const DnsStrays& strays) {
    Outcome outcome;
    judge_dns_silence(strays, outcome);
    return std::string(name(outcome.error)) + ' ' + outcome.detail + ": " + outcome.message;
  };
  CHECK(verdict({}) == "response_timeout : no answer");
  CHECK(verdict({.other_id = 1, .other_question = 2}) ==
        "response_timeout stray_answers: nothing came but what is not the answer: 1 with another "
        "id, 2 to another question");
  CHECK(verdict({.no_reply = 1}) ==
        "invalid_response no_reply: nothing came but what is not the answer: 1 that are no reply");
}

}  // namespace
}  // namespace ua
