// SPDX-License-Identifier: Apache-2.0
// The HTTP probe against a peer whose whole answer is there before it asks.
#include "collectors/probes/http/http_probe.h"

#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "collectors/core/epoll_loop.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"
#include "tests/catch.h"
#include "tests/loopback.h"

namespace ua {
namespace {

/// Probes that share one engine, as in the agent.
class Prober {
 public:
  Outcome answer(std::string_view bytes) {
    UniqueFd ours = server_.connect();
    const UniqueFd peer = server_.accept();
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
    ::shutdown(peer.get(), SHUT_WR);
    std::vector<ProbeResult> results;
    const auto probe = make_(engine_, target_);
    probe->start({std::move(ours), *ip_endpoint("127.0.0.1", 80), loop_.now()},
                 [&](ProbeResult result) {
                   results.push_back(std::move(result));
                   loop_.stop();
                 });
    const Timer deadline = loop_.after(10s, [this] { loop_.stop(); });
    loop_.run();
    REQUIRE(results.size() == 1);
    return results[0].outcome;
  }

 private:
  test::Listener server_{AF_INET, 4};
  EpollLoop loop_;
  ProbeEngine engine_{loop_};
  ProbeMaker make_ = make_http_maker(HttpOptions{}, TlsOptions{});
  Target target_ = *parse_target("http://a.example/");
};

TEST_CASE("a first header that is folded has nothing of an earlier answer to continue") {
  Prober prober;
  CHECK(prober.answer("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n").error ==
        ErrorClass::none);
  const Outcome folded = prober.answer("HTTP/1.1 200 OK\r\n X-F: c\r\nContent-Length: 0\r\n\r\n");
  CHECK(folded.error == ErrorClass::invalid_response);
  CHECK(folded.detail == "header");
  CHECK(prober.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").error == ErrorClass::none);
}

TEST_CASE("whatever a server sends, the trouble is not this machine's") {
  Prober prober;
  const std::string endless(150'000, 'a');
  CHECK(prober.answer("HTTP/1.1 200 " + endless).error == ErrorClass::headers_too_large);
  CHECK(prober.answer("HTTP/1.1 200 OK\r\nX: " + endless).error == ErrorClass::headers_too_large);
  CHECK(prober.answer(endless).error == ErrorClass::protocol_mismatch);
  CHECK(prober.answer("HTTP/1.1 200 OK\r\n\tX: a\r\n\r\n").error == ErrorClass::invalid_response);
}

TEST_CASE("a header line of blanks does not end the header") {
  Prober prober;
  const Outcome cut = prober.answer("HTTP/1.1 200 OK\r\nA: b\r\n \r\n");
  CHECK(cut.error == ErrorClass::closed_before_headers);
}

TEST_CASE("time that runs out in the line for a handshake is this host's trouble") {
  const test::Listener server(AF_INET, 4);
  EpollLoop loop;
  ProbeEngine engine(loop);
  std::deque<HandshakeGate::Ticket> others;
  for (std::size_t i = 0; i < HandshakeGate::kMaxYoung; ++i) {
    REQUIRE(engine.handshakes.enter(others.emplace_back(), nullptr));
  }
  const Target target = *parse_target("https://a.example/");
  const auto probe = make_http_maker(HttpOptions{}, TlsOptions{})(engine, target);
  UniqueFd ours = server.connect();
  const UniqueFd peer = server.accept();
  probe->start({std::move(ours), *ip_endpoint("127.0.0.1", 443), loop.now()},
               [](const ProbeResult&) { FAIL("it has not begun"); });
  const ProbeResult result = probe->cancel();
  CHECK(result.outcome.error == ErrorClass::local_resources_exhausted);
  CHECK(result.outcome.detail == "handshake_queue");
}

}  // namespace
}  // namespace ua
