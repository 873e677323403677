// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/starttls.h"

#include "tests/catch.h"

namespace ua {
namespace {

using State = StarttlsDialogue::State;

/// What is said by turns, the client first where it begins; "" is nothing.
void check(Starttls protocol, const std::vector<std::string>& turns) {
  for (const std::size_t piece : {1U, 3U, 10000U}) {
    StarttlsDialogue dialogue(protocol);
    for (std::size_t i = 0; i < turns.size(); i += 2) {
      CHECK(dialogue.take_outgoing() == turns[i]);
      if (i + 1 == turns.size()) break;
      const std::string& reply = turns[i + 1];
      for (std::size_t at = 0; at < reply.size(); at += piece) {
        REQUIRE(dialogue.state() == State::going);
        dialogue.take(std::string_view(reply).substr(at, piece));
      }
    }
    CHECK(dialogue.state() == State::ready);
    dialogue.take("x");
    CHECK(dialogue.state() == State::failed);
    CHECK(dialogue.failure().error == ErrorClass::protocol_mismatch);
    CHECK(dialogue.failure().detail.ends_with(",extra_bytes"));
    CHECK(dialogue.take_outgoing().empty());
  }
}

TEST_CASE("each protocol's way to TLS") {
  check(Starttls::smtp, {"", "220-a\r\n220 b\r\n", "EHLO upstream-agent.invalid\r\n",
                         "250-a\r\n250-starttls\r\n250 SIZE 1\r\n", "STARTTLS\r\n", "220 go\r\n"});
  check(Starttls::smtp, {"", "220\n", "EHLO upstream-agent.invalid\r\n", "250-a\n250 STARTTLS x\n",
                         "STARTTLS\r\n", "220\n"});
  check(Starttls::imap, {"", "* OK [CAPABILITY X] a\r\n", "a1 CAPABILITY\r\n",
                         "* 1 EXISTS\r\n* capability starttls imap4\r\na1 ok\r\n",
                         "a2 STARTTLS\r\n", "* x\r\na2 OK\r\n"});
  check(Starttls::pop3, {"", "+OK <1@a>\r\n", "CAPA\r\n", "+OK\r\nSTLS\r\nSASL PLAIN\r\n.\r\n",
                         "STLS\r\n", "+OK\r\n"});
  check(Starttls::pop3, {"", "+OK\r\n", "CAPA\r\n", "-ERR what\r\n", "STLS\r\n", "+OK\r\n"});
  check(Starttls::ftp, {"", "220-a\r\n120 b\r\n220-c\r\n220 d\r\n", "AUTH TLS\r\n", "234 e\r\n"});
  check(Starttls::postgres, {std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8), "S", ""});
  const std::string greeting(
      "\x1a\0\0\0\x0a"
      "8\0"
      "1234"
      "12345678\0"
      "\0\x08"
      "12345678",
      30);
  check(Starttls::mysql,
        {"", greeting,
         std::string("\x20\0\0\x01\0\x8a\x08\0\0\0\0\x01\x21", 13) + std::string(23, '\0')});
}

std::string failed(Starttls protocol, std::string_view said) {
  StarttlsDialogue dialogue(protocol);
  dialogue.take(said);
  const auto& failure = dialogue.failure();
  return std::string(name(failure.error)) + ' ' + failure.detail;
}

TEST_CASE("another protocol is told by its first bytes") {
  CHECK(failed(Starttls::smtp, "S") == "protocol_mismatch starttls_smtp,not_smtp");
  CHECK(failed(Starttls::smtp, "2200\r\n") == "protocol_mismatch starttls_smtp,not_smtp");
  CHECK(failed(Starttls::ftp, "+OK") == "protocol_mismatch starttls_ftp,not_ftp");
  CHECK(failed(Starttls::pop3, "*") == "protocol_mismatch starttls_pop3,not_pop3");
  CHECK(failed(Starttls::pop3, "+O") == "none ");
  CHECK(failed(Starttls::imap, "*x") == "protocol_mismatch starttls_imap,not_imap");
  CHECK(failed(Starttls::imap, "* NO\r\n") == "protocol_mismatch starttls_imap,not_imap");
  CHECK(failed(Starttls::postgres, "\x15\x03\x03") ==
        "protocol_mismatch starttls_postgres,not_postgres");
  CHECK(failed(Starttls::mysql, "220 ") == "protocol_mismatch starttls_mysql,not_mysql");
  CHECK(failed(Starttls::mysql, {"\x05\0\0\x01", 4}) ==
        "protocol_mismatch starttls_mysql,not_mysql");
  CHECK(failed(Starttls::mysql, {"\x02\0\0\0\x09\0", 6}) ==
        "protocol_mismatch starttls_mysql,not_mysql");
  CHECK(failed(Starttls::mysql, {"\x04\0\0\0\x0a"
                                 "8\0\0",
                                 8}) == "protocol_mismatch starttls_mysql,not_mysql");
}

TEST_CASE("what may come before TLS is bounded") {
  StarttlsDialogue dialogue(Starttls::smtp);
  std::string most(StarttlsDialogue::kMaxBytes, 'x');
  most.replace(0, 4, "220 ");
  CHECK(dialogue.take(most) == State::going);
  CHECK(dialogue.take("x") == State::failed);
  CHECK(dialogue.failure().error == ErrorClass::invalid_response);
  CHECK(dialogue.failure().detail == "starttls_smtp,greeting,over_8KiB");
  // The dialogue is counted as a whole.
  StarttlsDialogue imap(Starttls::imap);
  CHECK(imap.take("* OK\r\n") == State::going);
  std::string untagged;
  while (untagged.size() < StarttlsDialogue::kMaxBytes) untagged += "* 1 EXISTS\r\n";
  CHECK(imap.take(untagged) == State::failed);
  CHECK(imap.failure().detail == "starttls_imap,capabilities,over_8KiB");
}

TEST_CASE("a server's words are shown escaped and cut") {
  StarttlsDialogue dialogue(Starttls::smtp);
  dialogue.take("554 \x1b[31m" + std::string(1000, 'a') + "\r\n");
  const std::string& message = dialogue.failure().message;
  CHECK(message.starts_with("the server said: 554 \\x1b[31maaa"));
  CHECK(message.size() < 250);
}

TEST_CASE("whom a refusal for too many connections is about") {
  const std::string busy = ",greeting,busy";
  CHECK(
      failed(Starttls::ftp, "421 There are too many connections from your internet address.\r\n") ==
      "rate_limited starttls_ftp" + busy);
  CHECK(failed(Starttls::ftp, "421 Too many users\r\n") == "pool_exhausted starttls_ftp" + busy);
  CHECK(failed(Starttls::smtp, "421 goodbye from mx, too many users\r\n") ==
        "pool_exhausted starttls_smtp" + busy);
}

TEST_CASE("how a dialogue that was cut off is told") {
  StarttlsDialogue dialogue(Starttls::smtp);
  CHECK(dialogue.timed_out().detail == "starttls_smtp,greeting");
  dialogue.take("22");
  CHECK(dialogue.timed_out().detail == "starttls_smtp,greeting,partial");
  CHECK(dialogue.timed_out().error == ErrorClass::response_timeout);
  dialogue.take("0 a\r\n");
  CHECK(dialogue.ended(Stream::End::fin).error == ErrorClass::closed_before_headers);
  CHECK(dialogue.ended(Stream::End::fin).detail == "starttls_smtp,capabilities,fin");
  CHECK(dialogue.ended(Stream::End::reset).error == ErrorClass::reset_before_headers);
  CHECK(dialogue.ended(Stream::End::reset).detail == "starttls_smtp,capabilities,rst");
}

TEST_CASE("the protocol in a detail") {
  CHECK(starttls_of("starttls_smtp,greeting") == "smtp");
  CHECK(starttls_of("x509_10,starttls_postgres") == "postgres");
  CHECK(starttls_of("x509_10").empty());
}

}  // namespace
}  // namespace ua
