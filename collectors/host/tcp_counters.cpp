// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/tcp_counters.h"

#include "collectors/host/proc_net.h"

namespace ua {

Result<TcpCounters> parse_tcp_counters(std::string_view snmp, std::string_view netstat) {
  TcpCounters result;
  const auto tcp = [&](std::string_view name) { return named_value(snmp, "Tcp:", name); };
  result.opened = tcp("ActiveOpens");
  result.accepted = tcp("PassiveOpens");
  result.failed = tcp("AttemptFails");
  result.established_resets = tcp("EstabResets");
  result.sent_resets = tcp("OutRsts");
  result.sent_segments = tcp("OutSegs");
  result.retransmitted_segments = tcp("RetransSegs");
  result.listen_overflows = named_value(netstat, "TcpExt:", "ListenOverflows");
  result.listen_drops = named_value(netstat, "TcpExt:", "ListenDrops");
  if (!result.sent_segments) return fail("/proc/net/snmp: no OutSegs");
  if (!result.listen_overflows) return fail("/proc/net/netstat: no ListenOverflows");
  return result;
}

Result<void> TcpCounterSampler::sample(HostSnapshot& into) {
  const Result<std::string> snmp = read_proc_file(net_ / "snmp");
  if (!snmp) return tl::unexpected(snmp.error());
  const Result<std::string> netstat = read_proc_file(net_ / "netstat");
  if (!netstat) return tl::unexpected(netstat.error());
  const Result<TcpCounters> counters = parse_tcp_counters(*snmp, *netstat);
  if (!counters) return tl::unexpected(counters.error());
  into.tcp = *counters;
  return {};
}

}  // namespace ua
