// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/follow_up.h"

#include "tests/catch.h"

namespace ua {
namespace {

Outcome failed(ErrorClass error) {
  Outcome outcome;
  outcome.error = error;
  outcome.address = "192.0.2.1:443";
  return outcome;
}

TEST_CASE("only a failure that could be another protocol's calls for a second look") {
  const Target https = parse_target("https://a.example/").value();
  const Target http = parse_target("http://a.example/").value();
  const Target tcp = parse_target("tcp://a.example:1").value();
  CHECK(calls_for_follow_up(https, failed(ErrorClass::tls_timeout)));
  CHECK(calls_for_follow_up(https, failed(ErrorClass::tls_handshake_failed)));
  CHECK_FALSE(calls_for_follow_up(https, failed(ErrorClass::tls_cert_expired)));
  CHECK_FALSE(calls_for_follow_up(https, failed(ErrorClass::closed_before_headers)));
  CHECK(calls_for_follow_up(http, failed(ErrorClass::closed_before_headers)));
  CHECK(calls_for_follow_up(http, failed(ErrorClass::reset_before_headers)));
  CHECK_FALSE(calls_for_follow_up(http, failed(ErrorClass::connect_refused)));
  CHECK_FALSE(calls_for_follow_up(tcp, failed(ErrorClass::reset_before_headers)));
  Outcome elsewhere = failed(ErrorClass::tls_timeout);
  elsewhere.redirected_to = "https://b.example/";
  CHECK_FALSE(calls_for_follow_up(https, elsewhere));
  Outcome unconnected = failed(ErrorClass::tls_timeout);
  unconnected.address.clear();
  CHECK_FALSE(calls_for_follow_up(https, unconnected));
}

TEST_CASE("a ClientHello's lengths fit, with a name and without") {
  for (const std::string name : {"", "a.example"}) {
    const std::string hello = client_hello(name);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(hello.at(i)); };
    CHECK(byte(0) == 0x16);
    CHECK(byte(3) * 256U + byte(4) == hello.size() - 5);
    CHECK(byte(5) == 1);
    CHECK((byte(6) * 256U + byte(7)) * 256U + byte(8) == hello.size() - 9);
    CHECK((hello.find("a.example") != std::string::npos) == !name.empty());
  }
}

}  // namespace
}  // namespace ua
