// SPDX-License-Identifier: Apache-2.0
// Samplers that are one or two small files: TCP counters, conntrack, descriptors, paging, boot
// time, interfaces.
#include <filesystem>
#include <fstream>

#include "collectors/host/boot.h"
#include "collectors/host/conntrack.h"
#include "collectors/host/descriptors.h"
#include "collectors/host/network.h"
#include "collectors/host/paging.h"
#include "collectors/host/tcp_counters.h"
#include "tests/collectors/host/proc_shapes.h"

using namespace ua;
using namespace ua::test;

namespace {

Interfaces many(std::size_t count, const std::string& prefix) {
  Interfaces result;
  for (std::size_t i = 0; i < count; ++i) result.push_back({prefix + std::to_string(i), {}});
  return result;
}

}  // namespace

TEST_CASE("TCP counters of a 6.1 kernel") {
  const auto tcp = sample("tcp", shape("linux-6.1")).snapshot.tcp;
  REQUIRE(tcp);
  CHECK(tcp->opened == 33419U);
  CHECK(tcp->accepted == 18023U);
  CHECK(tcp->failed == 211U);
  CHECK(tcp->established_resets == 94U);
  CHECK(tcp->sent_resets == 4221U);
  CHECK(tcp->sent_segments == 1700112U);
  CHECK(tcp->retransmitted_segments == 190U);
  CHECK(tcp->listen_overflows == 71U);
  CHECK(tcp->listen_drops == 75U);
}

TEST_CASE("TCP counters of other kernels") {
  const auto tcp =
      parse_tcp_counters("Tcp: OutSegs New\nTcp: 5 6\n", text(shape("later") / "net/netstat"));
  REQUIRE(tcp);
  CHECK(tcp->sent_segments == 5U);
  CHECK_FALSE(tcp->opened);
  CHECK(tcp->listen_overflows == 4U);
  CHECK(tcp->listen_drops == 2U);
  CHECK(sample("tcp", shape("later")).error == "/proc/net/snmp: no OutSegs");
  CHECK(parse_tcp_counters("Tcp: OutSegs\nTcp: 5\n", text(shape("truncated") / "net/netstat"))
            .error()
            .message == "/proc/net/netstat: no ListenOverflows");
}

TEST_CASE("conntrack") {
  const auto table = sample("conntrack", shape("linux-6.1")).snapshot.conntrack;
  REQUIRE(table);
  CHECK(table->entries == 1811);
  CHECK(table->limit == 262144);
  CHECK(sample("conntrack", shape("truncated")).error == "nf_conntrack_count: not a number");
  CHECK(parse_conntrack("5", "x").error().message == "nf_conntrack_max: not a number");
}

TEST_CASE("a host that tracks no connections has none, and nothing fails") {
  const Sampled sampled = sample("conntrack", shape("linux-3.2"));
  CHECK(sampled.error.empty());
  CHECK_FALSE(sampled.snapshot.conntrack);
}

TEST_CASE("descriptors of the host") {
  const auto descriptors = sample("descriptors", shape("linux-6.1")).snapshot.descriptors;
  REQUIRE(descriptors);
  CHECK(descriptors->allocated == 2464);
  CHECK(descriptors->maximum == 9223372036854775807U);
  CHECK(parse_descriptors("900 300 1000")->allocated == 600);  // before 2.6 some were kept free
  CHECK(sample("descriptors", shape("truncated")).error ==
        "/proc/sys/fs/file-nr: expected three numbers");
  CHECK(parse_descriptors("9 10 11").error().message == "/proc/sys/fs/file-nr: not a number");
  CHECK(parse_descriptors("9 x 11").error().message == "/proc/sys/fs/file-nr: not a number");
}

TEST_CASE("paging") {
  const auto paging = parse_paging(text(shape("linux-6.1") / "vmstat"), 4096);
  REQUIRE(paging);
  CHECK(paging->swapped_in_bytes == 1200ULL * 4096);
  CHECK(paging->swapped_out_bytes == 3400ULL * 4096);
  CHECK(paging->major_faults == 512U);
  CHECK(sample("swap", shape("linux-6.1")).snapshot.paging);
  CHECK(sample("swap", shape("linux-3.2")).error == "/proc/vmstat: no pgmajfault");
  const auto without_swap = parse_paging("pgmajfault 3\npswpin 18446744073709551615\n", 4096);
  CHECK_FALSE(without_swap->swapped_out_bytes);
  CHECK_FALSE(without_swap->swapped_in_bytes);  // does not fit
}

TEST_CASE("boot time") {
  CHECK(sample("boot", shape("linux-6.1")).snapshot.boot_time == 1763990000U);
  CHECK(sample("boot", shape("linux-3.2")).error == "/proc/stat: no btime");
  CHECK(parse_boot_time("btime x").error().message == "/proc/stat: btime is no number");
}

TEST_CASE("interfaces of a 6.1 kernel") {
  const auto network = sample("network", shape("linux-6.1")).snapshot.network;
  REQUIRE(network);
  REQUIRE(network->interfaces.size() == 3);
  CHECK(network->left_out == 1);  // the container's
  const Interface& eth0 = network->interfaces.at("eth0");
  CHECK(eth0.received.bytes == 90112233);
  CHECK(eth0.received.packets == 812331);
  CHECK(eth0.received.errors == 3);
  CHECK(eth0.received.drops == 17);
  CHECK(eth0.sent.bytes == 712233441);
  CHECK(eth0.sent.packets == 612001);
  CHECK(eth0.sent.errors == 5);
  CHECK(eth0.sent.drops == 9);
  CHECK(network->interfaces.at("docker0").sent.drops == 6);
}

TEST_CASE("interfaces of other kernels") {
  const auto old = parse_interfaces(text(shape("linux-3.2") / "net/dev"));
  REQUIRE(old);
  CHECK(old->at(0).first == "eth0");
  CHECK(old->at(0).second.received.bytes == 4294967295);
  CHECK(old->at(0).second.sent.bytes == 8);
  const auto later = parse_interfaces(text(shape("later") / "net/dev"));
  REQUIRE(later);
  REQUIRE(later->size() == 1);
  CHECK(later->at(0).second.sent.drops == 12);
  CHECK(sample("network", shape("truncated")).error == "/proc/net/dev: no interface");
  CHECK(parse_interfaces("a\xff: 1 1 1 1 1 1 1 1 1 1 1 1\n")->at(0).first == "a\\xff");
}

TEST_CASE("the ends of containers' links are told by their names") {
  for (const char* name : {"veth0", "veth12ab34c", "cali1", "lxc9", "lxc_health", "tap1f2e", "tap",
                           "vnet3", "eni0a1"}) {
    CHECK(is_of_a_guest(name));
  }
  for (const char* name : {"lo", "eth0", "enp3s0", "eno1", "wlan0", "docker0", "br-1", "bond0",
                           "lxcbr0", "tap0", "tap17"}) {
    CHECK_FALSE(is_of_a_guest(name));
  }
}

TEST_CASE("at most 64 interfaces, and those once shown stay") {
  const Network first = choose_interfaces(many(100, "eth"), {});
  CHECK(first.interfaces.size() == 64);
  CHECK(first.left_out == 36);
  CHECK(first.interfaces.contains("eth0"));
  CHECK_FALSE(first.interfaces.contains("eth64"));

  std::set<std::string> shown;
  for (const auto& [name, counters] : first.interfaces) shown.insert(name);
  Interfaces newcomers = many(100, "aaa");
  const Interfaces old = many(65, "eth");
  newcomers.insert(newcomers.end(), old.begin(), old.end());
  CHECK(choose_interfaces(newcomers, shown).interfaces.contains("eth63"));
  CHECK_FALSE(choose_interfaces(newcomers, shown).interfaces.contains("aaa0"));
}

TEST_CASE("the network sampler remembers what it has shown") {
  const auto proc = std::filesystem::path(UA_BINARY_DIR) / "network_sampler_test";
  std::filesystem::create_directories(proc / "net");
  NetworkSampler sampler(proc);
  const auto shown = [&](const Interfaces& interfaces) {
    std::ofstream file(proc / "net/dev");
    for (const auto& [name, counters] : interfaces) file << name << ": 1 1 1 1 1 1 1 1 1 1 1 1\n";
    file.close();
    HostSnapshot snapshot;
    REQUIRE(sampler.sample(snapshot));
    return snapshot.network->interfaces;
  };
  CHECK(shown(many(64, "eth")).contains("eth63"));
  Interfaces newcomer{{"aaa", {}}};
  const Interfaces old = many(64, "eth");
  newcomer.insert(newcomer.end(), old.begin(), old.end());
  CHECK_FALSE(shown(newcomer).contains("aaa"));
  std::filesystem::remove_all(proc);
}

TEST_CASE("a missing file fails each of these samplers and names itself") {
  for (const char* name :
       {"tcp", "ports", "network", "descriptors", "swap", "boot", "filesystems"}) {
    const Sampled sampled = sample(name, "/nowhere");
    CHECK(sampled.error.find("cannot open /nowhere/") == 0);
  }
}

TEST_CASE("each of these samplers works on the kernel at hand") {
  for (const char* name :
       {"tcp", "ports", "network", "conntrack", "descriptors", "swap", "boot", "filesystems"}) {
    INFO(name);
    CHECK(sample(name, "/proc").error.empty());
  }
}
