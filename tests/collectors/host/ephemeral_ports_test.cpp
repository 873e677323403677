// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/ephemeral_ports.h"

#include <fstream>
#include <list>

#include "tests/catch.h"
#include "tests/loopback.h"

using namespace ua;
using test::Listener;

namespace {

DiagSocket socket_on(std::uint16_t port, std::uint16_t remote_port,
                     TcpState state = TcpState::established) {
  DiagSocket result;
  result.state = state;
  result.local_port = port;
  result.remote_port = remote_port;
  return result;
}

/// Of the thread's own network namespace.
void set_range(const char* range, const char* reserved) {
  std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << range;
  std::ofstream("/proc/sys/net/ipv4/ip_local_reserved_ports") << reserved;
}

EphemeralPorts sampled() {
  HostSnapshot snapshot;
  EphemeralPortSampler sampler("/proc");
  const auto done = sampler.sample(snapshot);
  test::require(done.has_value(), "sample");
  return *snapshot.ports;
}

/// Connects until the kernel has no port left; how often it worked.
std::size_t connect_all(const Listener& listener, std::list<UniqueFd>& into) {
  const sockaddr_in6 address = test::loopback(AF_INET, listener.port());
  for (std::size_t count = 0;; ++count) {
    UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    const int done =
        ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (done != 0 && errno == EADDRNOTAVAIL) return count;
    test::require(done == 0 || errno == EINPROGRESS, "connect");
    into.push_back(std::move(client));
  }
}

}  // namespace

TEST_CASE("the range of ports") {
  CHECK(parse_port_range("32768\t60999\n")->first == 32768);
  CHECK(parse_port_range("32768\t60999\n")->last == 60999);
  CHECK(parse_port_range("7 7")->last == 7);
  const auto error = [](const char* range) { return parse_port_range(range).error().message; };
  CHECK(error("") == "ip_local_port_range: expected two ports");
  CHECK(error("1 2 3") == "ip_local_port_range: expected two ports");
  CHECK(error("9 8") == "ip_local_port_range: not a range");
  CHECK(error("1 65536") == "ip_local_port_range: not a range");
}

TEST_CASE("reserved ports") {
  CHECK(parse_port_list("\n")->none());
  const auto some = parse_port_list("80,90-92,65535\n");
  REQUIRE(some);
  CHECK(some->count() == 5);
  CHECK(some->test(80));
  CHECK(some->test(92));
  CHECK(some->test(65535));
  CHECK(parse_port_list("0-65535")->all());
  CHECK(parse_port_list("9-8")->none());
  for (const char* bad : {"80,", "x", "1-", "-", "65536", "1-65536"}) {
    CHECK(parse_port_list(bad).error().message == "ip_local_reserved_ports: not a port");
  }
}

TEST_CASE("a port is used once, whatever uses it") {
  PortSet reserved;
  reserved.set(1005);
  EphemeralPortCount count({1000, 1009}, reserved);
  count.add(socket_on(1000, 80));
  count.add(socket_on(1000, 81));  // another destination
  count.add(socket_on(1001, 80, TcpState::time_wait));
  count.add(socket_on(1002, 0, TcpState::listen));
  count.add(socket_on(1005, 80));  // reserved
  count.add(socket_on(999, 80));
  count.add(socket_on(1010, 80));
  DiagSocket elsewhere = socket_on(1003, 80);
  elsewhere.remote[0] = 1;
  count.add(elsewhere);
  DiagSocket from_elsewhere = socket_on(1004, 80);
  from_elsewhere.local[0] = 1;
  count.add(from_elsewhere);
  const EphemeralPorts ports = count.result();
  CHECK(ports.available == 9);
  CHECK(ports.used == 5);
  CHECK(ports.busiest_destination == 2U);
}

TEST_CASE("without a socket nothing is used") {
  const EphemeralPorts ports = EphemeralPortCount({1, 65535}, {}).result();
  CHECK(ports.available == 65535);
  CHECK(ports.used == 0);
  CHECK(ports.busiest_destination == 0U);
}

TEST_CASE("when the kernel has no port left, the busiest destination has taken all") {
  EphemeralPorts before;
  EphemeralPorts at_end;
  EphemeralPorts two;
  std::size_t connected = 0;
  if (!test::in_fresh_network([&] {
        const Listener listener(AF_INET, 200);
        const Listener other(AF_INET, 200);
        set_range("20000 20099", "20010-20019,20050");
        before = sampled();
        std::list<UniqueFd> clients;
        connected = connect_all(listener, clients);
        at_end = sampled();
        clients.push_back(other.connect());  // another destination: a used port will do
        two = sampled();
      })) {
    WARN("skipped: making a network namespace needs CAP_SYS_ADMIN");
    return;
  }
  CHECK(connected == 89);
  CHECK(before.available == 89);
  CHECK(before.used == 0);
  CHECK(at_end.used == 89);
  CHECK(at_end.busiest_destination == 89U);
  CHECK(two.used == 89);
  CHECK(two.busiest_destination == 89U);
}

TEST_CASE("without sock_diag used ports are still counted, and the sampler fails") {
  const Listener listener(AF_INET, 8);
  const UniqueFd client = listener.connect();
  HostSnapshot snapshot;
  Result<void> sampled;
  test::without_netlink([&] { sampled = EphemeralPortSampler("/proc").sample(snapshot); });
  REQUIRE_FALSE(sampled);
  CHECK(sampled.error().message ==
        "sock_diag: Address family not supported by protocol; counting by /proc/net/tcp, which is "
        "slow");
  REQUIRE(snapshot.ports);
  CHECK(snapshot.ports->used >= 1);
  CHECK_FALSE(snapshot.ports->busiest_destination);
}

TEST_CASE("a kernel that knows no reserved ports has none") {
  const auto proc = std::filesystem::path(UA_BINARY_DIR) / "ephemeral_ports_test";
  std::filesystem::create_directories(proc / "sys/net/ipv4");
  std::ofstream(proc / "sys/net/ipv4/ip_local_port_range") << "100\t199\n";
  HostSnapshot snapshot;
  CHECK(EphemeralPortSampler(proc).sample(snapshot));
  REQUIRE(snapshot.ports);
  CHECK(snapshot.ports->available == 100);

  // Any other trouble with the file is told.
  std::ofstream(proc / "sys/net/ipv4/ip_local_reserved_ports") << "x\n";
  CHECK_FALSE(EphemeralPortSampler(proc).sample(snapshot));
  std::filesystem::remove_all(proc);
}
