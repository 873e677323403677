// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include "collectors/host/cpu.h"
#include "collectors/host/load.h"
#include "collectors/host/memory.h"
#include "collectors/host/oom_kills.h"
#include "collectors/host/pressure.h"
#include "collectors/host/proc_net.h"
#include "collectors/host/routes.h"
#include "tests/collectors/host/proc_shapes.h"

using namespace ua;
using namespace ua::test;

TEST_CASE("CPU time of a 6.1 kernel") {
  const auto cpu = parse_cpu(text(shape("linux-6.1") / "stat"), 100);
  REQUIRE(cpu);
  CHECK(cpu->user == 22558.47);  // guest time is within, as node_exporter has it
  CHECK(cpu->nice == 10.24);
  CHECK(cpu->system == 5563.12);
  CHECK(cpu->idle == 351193.04);
  CHECK(cpu->iowait == 205.18);
  CHECK(cpu->irq == 0.17);
  CHECK(cpu->softirq == 99.13);
  CHECK(cpu->steal == 4.02);
  CHECK(cpu->cpus == 2);
}

TEST_CASE("CPU time of other kernels") {
  CHECK(parse_cpu(text(shape("linux-3.2") / "stat"), 100)->steal == 0.08);
  const auto later = parse_cpu(text(shape("later") / "stat"), 1000);
  CHECK(later->user == 0.1);
  CHECK(later->cpus == 1);
  CHECK(parse_cpu(text(shape("huge") / "stat"), 100)->idle == Approx(1.8446744073709552e17));
  // A kernel before 2.6 has four columns.
  CHECK(parse_cpu("cpu 1 2 3 4\n", 1)->idle == 4);
  CHECK(parse_cpu("cpu 1 2 3 4\n", 1)->cpus == 0);
}

TEST_CASE("CPU time that cannot be told") {
  const auto error = [](std::string_view stat) { return parse_cpu(stat, 100).error().message; };
  CHECK(error("") == "/proc/stat: no cpu line");
  CHECK(error("cpu0 1 2 3 4 5\n") == "/proc/stat: no cpu line");
  CHECK(error(text(shape("truncated") / "stat")) == "/proc/stat: the cpu line is too short");
  CHECK(error("cpu 1 2 x 4 5\n") == "/proc/stat: the cpu line holds no number");
  CHECK(error("cpu 1 2 -3 4 5\n") == "/proc/stat: the cpu line holds no number");
}

TEST_CASE("CPU time of 4096 processors") {
  std::string stat = "cpu  4096 0 0 8192 0 0 0 0 0 0\n";
  for (int i = 0; i < 4096; ++i) stat += "cpu" + std::to_string(i) + " 1 0 0 2 0 0 0 0 0 0\n";
  const auto cpu = parse_cpu(stat, 1);
  REQUIRE(cpu);
  CHECK(cpu->cpus == 4096);
  CHECK(cpu->idle == 8192);
}

TEST_CASE("CPU counters never go back and never stop for long") {
  CpuCounters counters;
  const auto idle = [&](double raw) {
    CpuTimes times;
    times.idle = raw;
    times.cpus = 2;
    return counters.update(times).idle;
  };
  CHECK(idle(1000) == 1000);
  CHECK(idle(999.98) == 1000);  // tickless accounting
  CHECK(idle(1000.5) == 1000.5);
  CHECK(idle(400) == 1000.5);  // a processor went offline
  CHECK(idle(410) == 1010.5);
  CHECK(idle(409.9) == 1010.5);
  CHECK(idle(411) == 1011.5);
}

TEST_CASE("CPU modes go back each on their own") {
  CpuCounters counters;
  CpuTimes times;
  times.user = 5;
  times.idle = 100;
  times.cpus = 4;
  counters.update(times);
  times.user = 6;
  times.idle = 50;
  times.cpus = 3;
  const CpuTimes now = counters.update(times);
  CHECK(now.user == 6);
  CHECK(now.idle == 100);
  CHECK(now.cpus == 3);
}

TEST_CASE("the CPU sampler holds its counters from sample to sample") {
  const auto proc = std::filesystem::path(UA_BINARY_DIR) / "cpu_sampler_test";
  std::filesystem::create_directories(proc);
  auto samplers = make_host_samplers({"cpu"}, {}, proc);
  const auto idle = [&](const char* stat) {
    std::ofstream(proc / "stat") << stat;
    HostSnapshot snapshot;
    REQUIRE(samplers[0]->sample(snapshot));
    return snapshot.cpu->idle;
  };
  const double first = idle("cpu 0 0 0 500 0\n");
  CHECK(first > 0);
  CHECK(idle("cpu 0 0 0 499 0\n") == first);
  std::filesystem::remove_all(proc);
}

TEST_CASE("load averages") {
  const auto load = parse_load(text(shape("linux-6.1") / "loadavg"));
  REQUIRE(load);
  CHECK(load->one == 0.52);
  CHECK(load->five == 0.58);
  CHECK(load->fifteen == 0.59);
  CHECK(parse_load(text(shape("later") / "loadavg"))->fifteen == 0.30);
  const auto error = [](std::string_view loadavg) { return parse_load(loadavg).error().message; };
  CHECK(error("") == "/proc/loadavg: expected three averages");
  CHECK(error(text(shape("truncated") / "loadavg")) == "/proc/loadavg: expected three averages");
  CHECK(error(text(shape("huge") / "loadavg")) == "/proc/loadavg: not a number");
  for (const char* bad : {"0.1 0.2 0.3x", "inf 0.2 0.3", "0.1 nan 0.3", "0.1 0.2 -0.3"}) {
    CHECK(error(bad) == "/proc/loadavg: not a number");
  }
}

TEST_CASE("memory") {
  const auto memory = parse_memory(text(shape("linux-6.1") / "meminfo"));
  REQUIRE(memory);
  CHECK(memory->total == 8127996ULL * 1024);
  CHECK(memory->free == 517440ULL * 1024);
  CHECK(memory->available == 5242880ULL * 1024);
  CHECK(memory->buffers == 204800ULL * 1024);
  CHECK(memory->cached == 4194304ULL * 1024);  // not SwapCached
  CHECK(memory->swap_total == 2097148ULL * 1024);
  CHECK(memory->swap_free == 2096124ULL * 1024);

  const auto old = parse_memory(text(shape("linux-3.2") / "meminfo"));
  CHECK(old->free == 512ULL * 1024);
  CHECK_FALSE(old->available);
  CHECK_FALSE(old->swap_total);

  const auto later = parse_memory(text(shape("later") / "meminfo"));
  CHECK(later->total == 2048ULL * 1024);
  CHECK(later->available == 1500ULL * 1024);

  const auto huge = parse_memory(text(shape("huge") / "meminfo"));
  CHECK(huge->total == 18446744073709550592ULL);
  CHECK_FALSE(huge->free);  // does not fit
  CHECK_FALSE(huge->cached);

  CHECK(parse_memory(text(shape("truncated") / "meminfo")).error().message ==
        "/proc/meminfo: no MemTotal");
  CHECK_FALSE(parse_memory("MemTotal: x kB\n"));
}

TEST_CASE("pressure") {
  const auto io = parse_pressure(text(shape("linux-6.1") / "pressure/io"));
  REQUIRE(io);
  CHECK(io->waiting == 2.5);
  CHECK(io->stalled == 1.5);
  const auto later = parse_pressure(text(shape("later") / "pressure/cpu"));
  CHECK(later->waiting == 1);
  CHECK(later->stalled == 2);
  const auto huge = parse_pressure(text(shape("huge") / "pressure/cpu"));
  CHECK(*huge->waiting == Approx(1.8446744073709552e13));
  CHECK_FALSE(huge->stalled);  // no line "full": cpu before 5.13
  CHECK(parse_pressure("").error().message == "/proc/pressure: no line \"some\"");
  CHECK(parse_pressure("some total=-1").error().message == "/proc/pressure: total is no number");
}

TEST_CASE("a resource without pressure leaves the others") {
  const Sampled sampled = sample("pressure", shape("truncated"));
  CHECK(sampled.error == "/proc/pressure: no line \"some\"");
  CHECK(sampled.snapshot.pressure.size() == 1);
  CHECK(sampled.snapshot.pressure.at("memory").waiting == 5e-6);
  CHECK(sample("pressure", shape("linux-6.1")).snapshot.pressure.size() == 3);
}

TEST_CASE("kills for memory") {
  CHECK(parse_oom_kills(text(shape("linux-6.1") / "vmstat")) == 3U);
  CHECK(parse_oom_kills(text(shape("later") / "vmstat")) == 4U);
  CHECK(parse_oom_kills(text(shape("linux-3.2") / "vmstat")).error().message ==
        "/proc/vmstat: no oom_kill (kernels before 4.13 have none)");
  CHECK(parse_oom_kills(text(shape("huge") / "vmstat")).error().message ==
        "/proc/vmstat: oom_kill is no number");
  CHECK_FALSE(parse_oom_kills(text(shape("truncated") / "vmstat")));
}

TEST_CASE("a missing file fails its sampler and names itself") {
  for (const char* name : {"cpu", "load", "memory", "pressure", "oom"}) {
    const Sampled sampled = sample(name, "/nowhere");
    CHECK(sampled.error.find("cannot open /nowhere/") == 0);
    CHECK(sampled.error.find("No such file or directory") != std::string::npos);
  }
}

TEST_CASE("every sampler works on the kernel at hand, or says what is missing") {
  for (const char* name : {"cpu", "load", "memory", "connections"}) {
    CHECK(sample(name, "/proc").error.empty());
  }
  const Sampled cpu = sample("cpu", "/proc");
  CHECK(cpu.snapshot.cpu->cpus >= 1);
  CHECK(cpu.snapshot.cpu->idle > 0);
}

TEST_CASE("samplers come in the order of their names; unknown names are passed over") {
  const auto samplers = make_host_samplers({"memory", "nonsense", "cpu"});
  REQUIRE(samplers.size() == 2);
  CHECK(samplers[0]->name() == "memory");
  CHECK(samplers[1]->name() == "cpu");
}

TEST_CASE("totals of TCP") {
  const auto totals = [](const char* name) {
    return parse_tcp_totals(text(shape(name) / "net/snmp"), text(shape(name) / "net/sockstat"));
  };
  REQUIRE(totals("linux-6.1"));
  CHECK(totals("linux-6.1")->established == 57);
  CHECK(totals("linux-6.1")->time_wait == 19);
  REQUIRE(totals("later"));
  CHECK(totals("later")->established == 6);
  CHECK(totals("later")->time_wait == 2);
  CHECK_FALSE(totals("truncated"));
  CHECK_FALSE(parse_tcp_totals("", ""));
}

TEST_CASE("lines of /proc/net/tcp") {
  const auto listener = parse_tcp_line(
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 "
      "12345 1 0000000000000000 100 0 0 10 0");
  REQUIRE(listener);
  CHECK(listener->state == TcpState::listen);
  CHECK(listener->local_port == 8080);
  CHECK(listener->receive_queue == 3);
  CHECK(listener->uid == 1000);
  CHECK(listener->inode == 12345);
  const auto six = parse_tcp_line(
      " 1: 00000000000000000000000001000000:0016 00000000000000000000000001000000:D431 06 "
      "00000000:00000000 03:00000A17 00000000     0        0 0 3 0000000000000000");
  REQUIRE(six);
  CHECK(six->state == TcpState::time_wait);
  CHECK(six->local_port == 22);
  CHECK_FALSE(parse_tcp_line("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"));
  CHECK_FALSE(parse_tcp_line(""));
  CHECK_FALSE(parse_tcp_line("   0: 0100007F:1F90 00000000:0000 0A 00000000:0000"));
  CHECK_FALSE(parse_tcp_line("0: 0:1F90 0:0 0C 0:0 0:0 0 0 0 1"));   // no such state
  CHECK_FALSE(parse_tcp_line("0: 0:1F90F 0:0 0A 0:0 0:0 0 0 0 1"));  // no such port
  CHECK_FALSE(parse_tcp_line("0: nothing 0:0 0A 0:0 0:0 0 0 0 1"));
}

TEST_CASE("default routes") {
  const std::string v4 = text(shape("linux-6.1") / "net/route");
  const std::string v6 = text(shape("linux-6.1") / "net/ipv6_route");
  CHECK(has_default_route(v4, v6));
  CHECK_FALSE(has_default_route("", v6));  // link-local, and the rejection that every kernel has
  CHECK(has_default_route("",
                          "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                          "fe800000000000000000000000000001 00000400 00000003 00000000 00000003 "
                          "    eth0\n"));
  CHECK_FALSE(has_default_route(text(shape("linux-3.2") / "net/route"), ""));
  CHECK_FALSE(has_default_route("", ""));
}

TEST_CASE("a missing default route must be certain") {
  CHECK(read_has_default_route(shape("linux-6.1")));
  CHECK_FALSE(read_has_default_route(shape("linux-3.2")));  // has no IPv6
  CHECK_FALSE(read_has_default_route(shape("closed")));     // its routes reject
  CHECK_FALSE(read_has_default_route(shape("truncated")));
  CHECK(read_has_default_route("/nowhere"));

  const auto proc = std::filesystem::path(UA_BINARY_DIR) / "routes_test";
  std::filesystem::create_directories(proc / "net");
  std::ofstream(proc / "net/ipv6_route").close();
  const std::string line = "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
  std::ofstream router(proc / "net/route");
  for (int i = 0; i < 5000; ++i) router << line;
  router.close();
  CHECK(read_has_default_route(proc));  // too long to be anything but a router's
  std::filesystem::remove_all(proc);
}
