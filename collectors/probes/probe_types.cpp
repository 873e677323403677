// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_types.h"

#include <algorithm>
#include <array>

#include "collectors/probes/exchange_probe.h"
#include "collectors/probes/http_probe.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/tcp_probe.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 3> kHttpSchemes{"http", "https", "http+unix"};
constexpr std::array<std::string_view, 2> kHttpTables{"http", "tls"};
constexpr std::array<std::string_view, 2> kTcpSchemes{"tcp", "tcp+unix"};
constexpr std::array<std::string_view, 1> kTcpTables{"tcp"};

/// ProbeSetup::mistake
std::string http_mistake(HttpVersion version, bool proxied, bool other_host, const Target& target) {
  if (version == HttpVersion::v2 && !target.is_tls()) {
    return "HTTP/2 without TLS is spoken by prior knowledge: write http.version = \"2-prior\"";
  }
  if (proxied && target.is_unix()) return "a Unix socket is not reached through http.proxy_url";
  if (proxied && version == HttpVersion::v2_prior && !target.is_tls()) {
    return "a proxy takes no HTTP/2 by prior knowledge; leave http.version or http.proxy_url out";
  }
  if (proxied && other_host && !target.is_tls()) {  // RFC 9112 section 3.2.2
    return "a proxy puts the target's host in the place of http.host; leave it or http.proxy_url "
           "out";
  }
  return "";
}

const std::array<ProbeType, 2> kProbeTypes{{
    {"http", kHttpSchemes, kHttpTables,
     [](TableReader& upstream, const ProbeLimits& limits) {
       HttpOptions http = read_http_options(upstream, limits);
       TlsOptions tls = read_tls_options(upstream);
       const bool follows = http.follow_redirects;
       const std::uint64_t buffer = http.patterns.of_body() ? http.max_body : 0;
       auto mistake = [version = http.version, proxied = http.proxy != nullptr,
                       other_host = !http.host.empty()](const Target& target) {
         return http_mistake(version, proxied, other_host, target);
       };
       std::shared_ptr<const Target> via;
       if (http.proxy != nullptr) via = {http.proxy, &http.proxy->url};
       return ProbeSetup{make_http_maker(std::move(http), std::move(tls)), buffer, std::move(via),
                         follows, std::move(mistake)};
     }},
    {"tcp", kTcpSchemes, kTcpTables,
     [](TableReader& upstream, const ProbeLimits&) {
       TcpOptions tcp = read_tcp_options(upstream);
       if (tcp.exchange.empty()) return ProbeSetup{.make = make_tcp_maker()};
       return ProbeSetup{.make = make_exchange_maker(std::move(tcp)),
                         .buffer_bytes = kMaxExchangeAnswer};
     }},
}};

}  // namespace

std::span<const ProbeType> probe_types() { return kProbeTypes; }

const ProbeType* find_probe_type(std::string_view scheme) {
  for (const ProbeType& type : kProbeTypes) {
    if (std::find(type.schemes.begin(), type.schemes.end(), scheme) != type.schemes.end()) {
      return &type;
    }
  }
  return nullptr;
}

std::string known_schemes() {
  std::string result;
  for (const ProbeType& type : kProbeTypes) {
    for (const std::string_view scheme : type.schemes) {
      result += (result.empty() ? "" : ", ") + std::string(scheme) + "://";
    }
  }
  return result;
}

}  // namespace ua
