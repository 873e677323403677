// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/probe_types.h"

#include <array>

#include "collectors/probes/dns/dns_probe.h"
#include "collectors/probes/fastcgi/fastcgi_probe.h"
#include "collectors/probes/http/http_probe.h"
#include "collectors/probes/probe.h"
#include "collectors/probes/tcp/exchange_probe.h"
#include "collectors/probes/tcp/tcp_probe.h"
#include "collectors/probes/tls/tls_probe.h"
#include "collectors/probes/tool_flags.h"

namespace ua {
namespace {

constexpr CommonClasses kHttpClasses{ErrorClass::connect_refused,
                                     ErrorClass::connect_timeout,
                                     ErrorClass::response_timeout,
                                     ErrorClass::closed_before_headers,
                                     ErrorClass::reset_before_headers,
                                     ErrorClass::http_5xx,
                                     ErrorClass::http_503,
                                     ErrorClass::http_gateway_error};
// Expiry is the commonest TLS failure; a crash behind TLS ends in a reset more often than in a
// clean close.
constexpr CommonClasses kHttpsClasses{
    ErrorClass::connect_refused,  ErrorClass::connect_timeout,      ErrorClass::tls_cert_expired,
    ErrorClass::response_timeout, ErrorClass::reset_before_headers, ErrorClass::http_5xx,
    ErrorClass::http_503,         ErrorClass::http_gateway_error};
// A TCP probe ends with the connect: this is all that the network can do to it.
constexpr CommonClasses kTcpClasses{ErrorClass::dns_not_found,
                                    ErrorClass::dns_timeout,
                                    ErrorClass::dns_failed,
                                    ErrorClass::connect_refused,
                                    ErrorClass::connect_firewall_rejected,
                                    ErrorClass::connect_timeout,
                                    ErrorClass::listen_queue_full,
                                    ErrorClass::unreachable};

// libcurl connects a Unix socket even where it is told that it is connected already (7.88), and two
// connections would take two places in the queue.
constexpr std::array<Scheme, 3> kHttpSchemes{{
    {.name = "http",
     .common_classes = kHttpClasses,
     .default_port = 80,
     .has_path = true,
     .has_status = true},
    {.name = "https",
     .common_classes = kHttpsClasses,
     .default_port = 443,
     .has_path = true,
     .tls = true,
     .has_status = true},
    {.name = "http+unix",
     .common_classes = kHttpClasses,
     .has_path = true,
     .connects_itself = true,
     .has_status = true},
}};
constexpr std::array<std::string_view, 2> kHttpTables{"http", "tls"};
constexpr std::array<Scheme, 2> kTcpSchemes{{{.name = "tcp", .common_classes = kTcpClasses},
                                             {.name = "tcp+unix", .common_classes = kTcpClasses}}};
constexpr std::array<std::string_view, 1> kTcpTables{"tcp"};

// All workers busy shows as silence, and as a full queue once that has filled up; a worker that
// crashes or is killed as a reset.
constexpr CommonClasses kFastcgiClasses{ErrorClass::permission_denied,
                                        ErrorClass::connect_refused,
                                        ErrorClass::listen_queue_full,
                                        ErrorClass::response_timeout,
                                        ErrorClass::reset_before_headers,
                                        ErrorClass::http_4xx,
                                        ErrorClass::http_5xx,
                                        ErrorClass::http_503};
constexpr std::array<Scheme, 2> kFastcgiSchemes{{
    {.name = "fastcgi",
     .common_classes = kFastcgiClasses,
     .default_port = 9000,
     .has_path = true,
     .has_status = true},
    {.name = "fastcgi+unix",
     .common_classes = kFastcgiClasses,
     .has_path = true,
     .has_status = true},
}};
constexpr std::array<std::string_view, 1> kFastcgiTables{"fastcgi"};

// What keeps a handshake from its end, and the expiry that comes by itself.
constexpr CommonClasses kTlsClasses{ErrorClass::connect_refused,   ErrorClass::connect_timeout,
                                    ErrorClass::listen_queue_full, ErrorClass::unreachable,
                                    ErrorClass::tls_timeout,       ErrorClass::tls_handshake_failed,
                                    ErrorClass::tls_cert_expired,  ErrorClass::response_timeout};
constexpr std::array<Scheme, 1> kTlsSchemes{
    {{.name = "tls", .common_classes = kTlsClasses, .tls = true}}};
constexpr std::array<std::string_view, 2> kTlsTables{"tls", "tcp"};

// Over UDP a server that is gone shows as silence or as a word of the network's.
constexpr CommonClasses kDnsClasses{
    ErrorClass::connect_refused,  ErrorClass::connect_firewall_rejected,
    ErrorClass::connect_timeout,  ErrorClass::unreachable,
    ErrorClass::response_timeout, ErrorClass::closed_before_headers,
    ErrorClass::invalid_response, ErrorClass::content_mismatch};
constexpr std::array<Scheme, 1> kDnsSchemes{{{.name = "dns",
                                              .common_classes = kDnsClasses,
                                              .default_port = 53,
                                              .has_path = true,
                                              .connects_itself = true}}};
constexpr std::array<std::string_view, 1> kDnsTables{"dns"};

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

std::string tcp_mistake(Starttls starttls, const Target& target) {
  if (starttls == Starttls::none) return "";
  if (target.is_unix()) return "tcp.starttls leads to TLS, which is not spoken over a Unix socket";
  return "tcp.starttls leads to TLS: write tls://" + target.authority();
}

std::string tls_mistake(bool speaks) {
  return speaks ? "tcp.exchange is for tcp:// targets; what leads to TLS is tcp.starttls" : "";
}

const std::array<ProbeType, 5> kProbeTypes{{
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
       auto flags = std::make_shared<const ToolFlags>(tool_flags(http, tls));
       return ProbeSetup{make_http_maker(std::move(http), std::move(tls)),
                         buffer,
                         std::move(via),
                         follows,
                         std::move(flags),
                         std::move(mistake)};
     }},
    {"tcp", kTcpSchemes, kTcpTables,
     [](TableReader& upstream, const ProbeLimits&) {
       TcpOptions tcp = read_tcp_options(upstream);
       auto mistake = [starttls = tcp.starttls](const Target& target) {
         return tcp_mistake(starttls, target);
       };
       if (tcp.exchange.empty()) {
         return ProbeSetup{.make = make_tcp_maker(), .mistake = std::move(mistake)};
       }
       return ProbeSetup{.make = make_exchange_maker(std::move(tcp)),
                         .buffer_bytes = kMaxExchangeAnswer,
                         .mistake = std::move(mistake)};
     }},
    {"tls", kTlsSchemes, kTlsTables,
     [](TableReader& upstream, const ProbeLimits&) {
       TlsOptions tls = read_tls_options(upstream);
       const TcpOptions tcp = read_tcp_options(upstream);
       auto flags = std::make_shared<const ToolFlags>(tool_flags(tls));
       return ProbeSetup{.make = make_tls_maker(std::move(tls), tcp.starttls),
                         .flags = std::move(flags),
                         .mistake = [speaks = !tcp.exchange.empty()](const Target&) {
                           return tls_mistake(speaks);
                         }};
     }},
    {"dns", kDnsSchemes, kDnsTables,
     [](TableReader& upstream, const ProbeLimits&) {
       const DnsOptions dns = read_dns_options(upstream);
       return ProbeSetup{.make = make_dns_maker(dns),
                         .buffer_bytes = kMaxDnsAnswer,
                         .mistake = [dns](const Target& target) {
                           const auto task = dns_task(target, dns);
                           return task ? std::string() : task.error().message;
                         }};
     }},
    {"fastcgi", kFastcgiSchemes, kFastcgiTables,
     [](TableReader& upstream, const ProbeLimits& limits) {
       FastcgiOptions fastcgi = read_fastcgi_options(upstream, limits);
       const std::uint64_t buffer = fastcgi.patterns.of_body() ? fastcgi.max_body : 0;
       return ProbeSetup{.make = make_fastcgi_maker(std::move(fastcgi)), .buffer_bytes = buffer};
     }},
}};

struct Found {
  const ProbeType* type = nullptr;
  const Scheme* scheme = nullptr;
};

Found find(std::string_view name) {
  for (const ProbeType& type : kProbeTypes) {
    for (const Scheme& scheme : type.schemes) {
      if (scheme.name == name) return {&type, &scheme};
    }
  }
  return {};
}

}  // namespace

std::span<const ProbeType> probe_types() { return kProbeTypes; }

const ProbeType* find_probe_type(std::string_view scheme) { return find(scheme).type; }

const Scheme* find_scheme(std::string_view name) { return find(name).scheme; }

std::string known_schemes() {
  std::string result;
  for (const ProbeType& type : kProbeTypes) {
    for (const Scheme& scheme : type.schemes) {
      result += (result.empty() ? "" : ", ") + std::string(scheme.name) + "://";
    }
  }
  return result;
}

}  // namespace ua
