// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tcp/exchange_probe.h"

#include <sys/socket.h>

#include "collectors/core/epoll_loop.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "tests/catch.h"

namespace ua {
namespace {

ExchangeStep step(const char* send, const char* expect) {
  ExchangeStep result;
  result.send = send;
  if (expect != nullptr) result.expect = std::make_shared<const re2::RE2>(expect);
  return result;
}

/// A probe and the other end of its connection.
class Exchange {
 public:
  explicit Exchange(std::vector<ExchangeStep> steps) {
    int ends[2] = {-1, -1};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    probe_end_.reset(ends[0]);
    peer_.reset(ends[1]);
    TcpOptions options;
    options.exchange = std::move(steps);
    probe_ = make_exchange_maker(std::move(options))(engine_, *parse_target("tcp+unix:///a"));
  }
  void say(const std::string& text) {
    REQUIRE(send(peer_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  /// In a later turn of the loop.
  void say_later(const std::string& text) {
    timers_.push_back(loop_.after(5ms * (timers_.size() + 1), [this, text] { say(text); }));
  }
  void hang_up() { peer_.reset(); }
  void start() {
    probe_->start(Connection{std::move(probe_end_), *unix_endpoint("/a"), loop_.now()},
                  [this](ProbeResult result) {
                    found_ = std::move(result.outcome);
                    loop_.stop();
                  });
  }
  Outcome run() {
    start();
    loop_.run();
    return *found_;
  }
  /// What is known when time is up, after some turns of the loop.
  Outcome expire() {
    start();
    timers_.push_back(loop_.after(30ms, [this] { loop_.stop(); }));
    loop_.run();
    REQUIRE_FALSE(found_);
    return probe_->cancel().outcome;
  }
  std::string heard() {
    std::string result(100'000, '\0');
    const ssize_t size = recv(peer_.get(), result.data(), result.size(), 0);
    result.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return result;
  }

 private:
  EpollLoop loop_;
  ProbeEngine engine_{loop_};
  UniqueFd probe_end_;
  UniqueFd peer_;
  std::unique_ptr<Probe> probe_;
  std::vector<Timer> timers_;
  std::optional<Outcome> found_;
};

TEST_CASE("an answer may come in pieces") {
  Exchange exchange({step("PING\r\n", "^\\+PONG")});
  exchange.say("+P");
  exchange.say_later("ON");
  exchange.say_later("G\r\n");
  const Outcome outcome = exchange.run();
  CHECK(outcome.error == ErrorClass::none);
  CHECK(outcome.detail.empty());
  CHECK(exchange.heard() == "PING\r\n");
  CHECK(outcome.times.get(TimedPhase::request));
  CHECK(outcome.times.get(TimedPhase::response_headers));
  CHECK(outcome.times.get(TimedPhase::response_body));
}

TEST_CASE("what a step leaves over is the next one's") {
  Exchange exchange({step("", "^220 .*\r\n"), step("EHLO a\r\n", "^250 b"), step("", "^\r\nc$")});
  exchange.say("220 hello\r\n250 b\r\nc");
  CHECK(exchange.run().error == ErrorClass::none);
  CHECK(exchange.heard() == "EHLO a\r\n");
}

TEST_CASE("a step without expect waits for nothing") {
  Exchange exchange({step("a", nullptr), step("b", "c"), step("QUIT\r\n", nullptr)});
  exchange.say("c");
  CHECK(exchange.run().error == ErrorClass::none);
  CHECK(exchange.heard() == "abQUIT\r\n");
}

TEST_CASE("an end before any answer") {
  Exchange exchange({step("", "^220 "), step("x", "y")});
  exchange.say("220 ");
  exchange.hang_up();
  const Outcome outcome = exchange.run();
  CHECK(outcome.error == ErrorClass::closed_before_headers);
  CHECK(outcome.detail == "exchange_2,fin");
  CHECK(outcome.message == "step 2: the connection was closed before an answer");
}

TEST_CASE("an end after another answer") {
  Exchange exchange({step("", "^220 ")});
  exchange.say("554 go away\r\n");
  exchange.hang_up();
  const Outcome outcome = exchange.run();
  CHECK(outcome.error == ErrorClass::content_mismatch);
  CHECK(outcome.detail == "exchange_1,fin");
  CHECK(outcome.message == "step 1: 13 bytes came, and expect matches nothing of them");
}

TEST_CASE("what was said before the end is heard although nothing can be sent any more") {
  Exchange exchange({step("x", "^220 ")});
  exchange.say("554 go away\r\n");
  exchange.hang_up();
  CHECK(exchange.run().error == ErrorClass::content_mismatch);
}

TEST_CASE("a TLS alert is another protocol") {
  Exchange exchange({step("", "x")});
  exchange.say(std::string("\x15\x03\x01\x00\x02\x02\x28", 7));
  exchange.hang_up();
  const Outcome outcome = exchange.run();
  CHECK(outcome.error == ErrorClass::protocol_mismatch);
  CHECK(outcome.detail == "tls_alert");
}

TEST_CASE("64 KiB without a match are enough") {
  Exchange exchange({step("", "xyz")});
  exchange.say(std::string(70'000, 'a'));
  const Outcome outcome = exchange.run();
  CHECK(outcome.error == ErrorClass::content_mismatch);
  CHECK(outcome.detail == "exchange_1,over_64KiB");
}

TEST_CASE("a peer that talks and does not listen fills no memory") {
  const std::string much(64UL * 1024, 'x');
  Exchange exchange(std::vector(16, step(much.c_str(), nullptr)));
  exchange.say(std::string(70'000, 'a'));
  const Outcome outcome = exchange.run();
  CHECK(outcome.error == ErrorClass::content_mismatch);
  CHECK(outcome.detail.ends_with(",over_64KiB"));
  CHECK(outcome.message.ends_with(": more than 64 KiB came before all of it could be sent"));
}

TEST_CASE("silence until the deadline") {
  Exchange exchange({step("x", "y")});
  const Outcome outcome = exchange.expire();
  CHECK(outcome.error == ErrorClass::response_timeout);
  CHECK(outcome.detail == "exchange_1");
  CHECK_FALSE(outcome.times.get(TimedPhase::response_headers));
}

TEST_CASE("another answer until the deadline") {
  Exchange exchange({step("x", "y")});
  exchange.say("-ERR\r\n");
  const Outcome outcome = exchange.expire();
  CHECK(outcome.error == ErrorClass::content_mismatch);
  CHECK(outcome.detail == "exchange_1,timeout");
}

TEST_CASE("what comes while a worker matches is matched too, up to 64 KiB") {
  for (const bool matches : {true, false}) {
    Exchange exchange({step("", "[ab]{900}Z")});
    exchange.say(std::string(60'000, 'a'));
    exchange.say_later(std::string(10'000, 'b') + (matches ? "Z" : "b"));
    const Outcome outcome = exchange.run();
    CHECK(outcome.error == (matches ? ErrorClass::none : ErrorClass::content_mismatch));
    CHECK(outcome.detail == (matches ? "" : "exchange_1,over_64KiB"));
  }
}

TEST_CASE("a pattern that takes long is matched elsewhere") {
  for (const bool matches : {true, false}) {
    Exchange exchange({step("", "[ab]{900}Z"), step("", "^!")});
    exchange.say(std::string(5000, 'a') + (matches ? "aZ!" : "a!"));
    if (!matches) exchange.hang_up();
    const Outcome outcome = exchange.run();
    CHECK(outcome.error == (matches ? ErrorClass::none : ErrorClass::content_mismatch));
  }
}

}  // namespace
}  // namespace ua
