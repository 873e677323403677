// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_types.h"

#include <algorithm>
#include <array>

#include "collectors/probes/exchange_probe.h"
#include "collectors/probes/http_probe.h"
#include "collectors/probes/options.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/tcp_probe.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 3> kHttpSchemes{"http", "https", "http+unix"};
constexpr std::array<std::string_view, 2> kHttpTables{"http", "tls"};
constexpr std::array<std::string_view, 2> kTcpSchemes{"tcp", "tcp+unix"};
constexpr std::array<std::string_view, 1> kTcpTables{"tcp"};

const std::array<ProbeType, 2> kProbeTypes{{
    {"http", kHttpSchemes, kHttpTables,
     [](TableReader& upstream, const ProbeLimits& limits) {
       HttpOptions http = read_http_options(upstream, limits);
       TlsOptions tls = read_tls_options(upstream);
       const std::uint64_t buffer = http.expect_body ? http.max_body : 0;
       return ProbeSetup{make_http_maker(std::move(http), std::move(tls)), buffer};
     }},
    {"tcp", kTcpSchemes, kTcpTables,
     [](TableReader& upstream, const ProbeLimits&) {
       TcpOptions tcp = read_tcp_options(upstream);
       if (tcp.exchange.empty()) return ProbeSetup{make_tcp_maker(), 0};
       return ProbeSetup{make_exchange_maker(std::move(tcp)), kMaxExchangeAnswer};
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
