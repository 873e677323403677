// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/socket_options.h"

#include <sys/socket.h>

#include <cerrno>

#include "collectors/probes/net/dial.h"
#include "collectors/probes/target.h"
#include "tests/catch.h"
#include "tests/loopback.h"

namespace ua {
namespace {

Endpoint at(const char* address, std::uint16_t port = 0) { return *ip_endpoint(address, port); }

UniqueFd stream(int family) { return UniqueFd(socket(family, SOCK_STREAM, 0)); }

TEST_CASE("DSCP by number and by name") {
  CHECK(parse_dscp("0") == 0);
  CHECK(parse_dscp("63") == 63);
  CHECK(parse_dscp("ef") == 46);
  CHECK(parse_dscp("EF") == 46);
  CHECK(parse_dscp("af21") == 18);
  CHECK(parse_dscp("af43") == 38);
  CHECK(parse_dscp("cs1") == 8);
  CHECK(parse_dscp("cs7") == 56);
  for (const char* bad : {"", "64", "-1", "256", "af44", "cs8", "0x2e", "18 "}) {
    CHECK_FALSE(parse_dscp(bad));
  }
}

TEST_CASE("the PROXY line names both ends") {
  CHECK(proxy_line(at("192.0.2.1", 51234), at("198.51.100.7", 80)) ==
        "PROXY TCP4 192.0.2.1 198.51.100.7 51234 80\r\n");
  CHECK(proxy_line(at("2001:db8::1", 1), at("2001:db8::2", 65535)) ==
        "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n");
  CHECK(proxy_line(at("192.0.2.1"), at("::1")) == "PROXY UNKNOWN\r\n");
  CHECK(proxy_line(*unix_endpoint("/a"), *unix_endpoint("/a")) == "PROXY UNKNOWN\r\n");
}

TEST_CASE("what an address and a name for the mark do to a socket") {
  const test::Listener listener(AF_INET, 4);
  SocketOptions options;
  options.source = at("127.0.0.77");
  options.dscp = 18;
  const UniqueFd fd = stream(AF_INET);
  REQUIRE_FALSE(set_socket_options(fd.get(), AF_INET, options));
  int mark = 0;
  socklen_t size = sizeof mark;
  REQUIRE(getsockopt(fd.get(), IPPROTO_IP, IP_TOS, &mark, &size) == 0);
  CHECK(mark == 18 << 2);
  Endpoint own;
  own.size = sizeof own.storage;
  REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own.storage), &own.size) == 0);
  CHECK(own.text() == "127.0.0.77:0");  // the port comes with the connection
  const UniqueFd six = stream(AF_INET6);
  options.source.reset();
  REQUIRE_FALSE(set_socket_options(six.get(), AF_INET6, options));
  REQUIRE(getsockopt(six.get(), IPPROTO_IPV6, IPV6_TCLASS, &mark, &size) == 0);
  CHECK(mark == 18 << 2);
}

TEST_CASE("what the kernel does not take is this host's trouble") {
  const auto trouble = [](const SocketOptions& options) {
    const UniqueFd fd = stream(AF_INET);
    return set_socket_options(fd.get(), AF_INET, options);
  };
  SocketOptions elsewhere;
  elsewhere.source = at("192.0.2.1");
  const auto not_here = trouble(elsewhere);
  REQUIRE(not_here);
  CHECK(not_here->option == "source_address");
  CHECK(not_here->text() == "source_address is no address of this host");
  SocketOptions other_version;
  other_version.source = at("::1");
  CHECK(trouble(other_version)->text() == "source_address is of the other IP version");
  SocketOptions missing;
  missing.interface = "no-such-one";
  CHECK(trouble(missing)->text() == "this host has no such interface");

  DialFailure failure;
  failure.option = not_here;
  CHECK(classify_dial(failure).error == ErrorClass::config_invalid);
  CHECK(classify_dial(failure).detail == "source_address");
  failure.option = SocketTrouble{"interface", EPERM};
  CHECK(classify_dial(failure).error == ErrorClass::permission_denied);
  CHECK(failure.option->text() == "interface: kernels before 5.7 ask for CAP_NET_RAW");
}

TEST_CASE("a Unix socket takes none of what is IP's") {
  SocketOptions options;
  const Target target = *parse_target("tcp+unix:///run/app.sock");
  CHECK(socket_mistake(options, target).empty());
  options.proxy_protocol = true;
  CHECK(socket_mistake(options, target).empty());
  options.dscp = 0;
  CHECK(socket_mistake(options, target) == "a Unix socket knows no dscp");
  options.interface = "lo";
  CHECK(socket_mistake(options, target) == "a Unix socket knows no interface");
  options.source = at("::1");
  CHECK(socket_mistake(options, target) == "a Unix socket knows no source_address");
}

}  // namespace
}  // namespace ua
