// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/target_list.h"

#include <algorithm>

#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/probes/names/resolver.h"

namespace ua {
namespace {

constexpr std::size_t kAddressesShown = 4;

bool is_name(const Target& target) { return !target.is_unix() && !ip_endpoint(target.host, 0); }

std::string key_of(const Target& target, IpProtocol protocol) {
  return target.host + '/' + std::to_string(static_cast<int>(protocol));
}

std::string addresses_text(const Resolved& resolved) {
  if (resolved.error != ErrorClass::none) {
    const std::string detail =
        resolved.detail.empty() ? "" : " (" + escape_line(resolved.detail) + ')';
    return std::string(name(resolved.error)) + detail;
  }
  std::string result;
  for (std::size_t i = 0; i < resolved.addresses.size() && i < kAddressesShown; ++i) {
    std::string address = resolved.addresses[i].text();
    address.resize(address.rfind(':'));  // the port, which is none yet
    result += (i == 0 ? "" : ", ") + address;
  }
  const std::size_t more =
      resolved.addresses.size() - std::min(resolved.addresses.size(), kAddressesShown);
  return more == 0 ? result : result + " and " + std::to_string(more) + " more";
}

}  // namespace

ResolvedNames resolve_names(const std::vector<UpstreamConfig>& upstreams, Duration patience) {
  ResolvedNames result;
  EpollLoop loop;
  Resolver resolver(loop);
  std::vector<Resolver::Query> queries;
  std::size_t waiting = 0;
  const Time deadline = loop.now() + patience;
  for (const UpstreamConfig& upstream : upstreams) {
    for (const TargetConfig& target : upstream.targets) {
      const Target& asked = target.first_hop();
      const std::string key = key_of(asked, upstream.run.ip_protocol);
      if (!is_name(asked) || result.contains(key)) continue;
      result[key] = "no answer within " + format_duration(patience);
      ++waiting;
      queries.push_back(resolver.resolve(asked.host, upstream.run.ip_protocol, deadline,
                                         [&, key](const Resolved& resolved) {
                                           result[key] = addresses_text(resolved);
                                           if (--waiting == 0) loop.stop();
                                         }));
    }
  }
  const Timer timer = loop.at(deadline, [&] { loop.stop(); });
  if (waiting != 0) loop.run();
  return result;
}

std::string target_list(const std::vector<UpstreamConfig>& upstreams, const ResolvedNames& names) {
  std::size_t width = 0;
  for (const UpstreamConfig& upstream : upstreams) {
    width = std::max(width, escape_line(upstream.name).size());
  }
  std::string result;
  for (const UpstreamConfig& upstream : upstreams) {
    const std::string shown = escape_line(upstream.name);
    for (const TargetConfig& target : upstream.targets) {
      result += shown + std::string(width + 2 - shown.size(), ' ') +
                escape_line(target.target.label, 2000);
      if (target.via) result += "  through " + escape_line(target.via->label, 2000);
      const auto found = names.find(key_of(target.first_hop(), upstream.run.ip_protocol));
      if (found != names.end()) result += "  " + found->second;
      result += '\n';
    }
  }
  return result;
}

}  // namespace ua
