// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/error_class.h"

#include <cassert>

namespace ua {
namespace {

using enum ErrorClass;

// Columns: class, label, phase, retry, meaning, likely cause, first place to check, command.
constexpr std::array<ErrorClassInfo, kErrorClassCount> kCatalogue{{
    {config_invalid, "config_invalid", Phase::local, Retry::no,
     "the check itself is set up wrong, so nothing was sent",
     "The target, a certificate file or a source address in the configuration is wrong.",
     "the configuration of the checking side: this agent's, or the proxy's",
     "upstream-agent check"},
    {local_resources_exhausted, "local_resources_exhausted", Phase::local, Retry::no,
     "this machine could not open a connection: descriptors, ports or memory ran out",
     "Too many open files, all ephemeral ports towards this destination in use, or no memory.",
     "descriptor limit and port use of the machine that opens the connection",
     "ss -s; sysctl net.ipv4.ip_local_port_range fs.file-nr; prlimit --nofile"},
    {permission_denied, "permission_denied", Phase::local, Retry::no,
     "the kernel of this machine refused the attempt",
     "A Unix socket's mode or owner, a security policy, a prohibit route or an own OUTPUT rule.",
     "socket mode and owner, own firewall OUTPUT chain, SELinux or AppArmor denials",
     "ls -l {path}; ip route get {ip}; nft list ruleset | grep -i output"},
    {dns_not_found, "dns_not_found", Phase::dns, Retry::no,
     "the name does not exist, or has no address",
     "A typo in the host name, a record that was removed, or a container that is not on that "
     "network.",
     "the spelling of the host name, then the record in DNS",
     "dig +search {host} A; dig +search {host} AAAA"},
    {dns_timeout, "dns_timeout", Phase::dns, Retry::any, "no resolver answered in time",
     "The resolver is down or unreachable, or a firewall drops port 53.",
     "the resolvers of this machine and whether they answer",
     "cat /etc/resolv.conf; dig +search {host} +tries=1 +time=2"},
    {dns_failed, "dns_failed", Phase::dns, Retry::any,
     "the resolver answered, but with an error (SERVFAIL, REFUSED), or its port is closed",
     "A broken or unsigned zone, a resolver that refuses this client, or a resolver that is down.",
     "the resolver's log; the answer with DNSSEC checking off",
     "dig +search {host}; dig +search +cd {host}"},
    {connect_refused, "connect_refused", Phase::connect, Retry::any,
     "nothing accepts connections there: a RST answered, or the Unix socket is missing or stale",
     "The application is not running, or it listens on another port or address.",
     "whether the service runs and where it listens",
     "systemctl status {service}; ss -ltnp 'sport = :{port}'"},
    {connect_firewall_rejected, "connect_firewall_rejected", Phase::connect, Retry::any,
     "an ICMP answer rejected the connection",
     "A firewall rule with REJECT, or a Kubernetes Service without endpoints.",
     "firewall rules on the way and on the target; the Service's endpoints",
     "nft list ruleset | grep -n reject; iptables -S | grep REJECT"},
    {connect_timeout, "connect_timeout", Phase::connect, Retry::any,
     "no answer at all to the connection request",
     "A firewall silently drops packets, the host is down or the address wrong, or the target is "
     "too overloaded to accept.",
     "firewall rules and route first, then the load of the target",
     "ip route get {ip}; traceroute -T -p {port} {host}; nft list ruleset | grep -n drop"},
    {listen_queue_full, "listen_queue_full", Phase::connect, Retry::any,
     "the application's queue of connections waiting to be accepted is full",
     "The application does not call accept fast enough: blocked, overloaded, or too few workers; "
     "or the backlog is too small.",
     "the listen queue (Recv-Q against Send-Q) and the process that owns it",
     "ss -ltnp 'sport = :{port}'; nstat -az TcpExtListenOverflows"},
    {unreachable, "unreachable", Phase::connect, Retry::any, "no route to the host or network",
     "A missing route or interface, a host that does not answer ARP, a missing container network.",
     "route and neighbour table", "ip route get {ip}; ip neigh show {ip}"},
    {tls_timeout, "tls_timeout", Phase::tls, Retry::any,
     "TCP connected, the TLS handshake got no answer",
     "An overloaded TLS terminator, a plaintext server that waits for a request, or a packet size "
     "problem on the path.",
     "load of the target; whether that port speaks TLS at all",
     "openssl s_client -connect {host}:{port} -servername {sni} </dev/null"},
    {tls_handshake_failed, "tls_handshake_failed", Phase::tls, Retry::any,
     "the peer ended the TLS handshake with an alert or by closing",
     "No common protocol version or cipher, an unknown server name, or a crash in the handshake.",
     "the server's TLS configuration for this name",
     "openssl s_client -connect {host}:{port} -servername {sni} </dev/null"},
    {tls_cert_expired, "tls_cert_expired", Phase::tls, Retry::no,
     "the certificate is past its end or not yet valid",
     "The renewal failed, the server was not reloaded after it, or a clock is wrong.",
     "the certificate's dates, the renewal job, this machine's clock",
     "openssl s_client -connect {host}:{port} -servername {sni} -showcerts </dev/null 2>/dev/null "
     "| "
     "openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -text -noout | "
     "grep "
     "-E 'Subject:|Not (Before|After)'; timedatectl"},
    {tls_cert_name_mismatch, "tls_cert_name_mismatch", Phase::tls, Retry::no,
     "the certificate is for other names",
     "Another site's certificate is served for this name, or the check goes by address.",
     "the names in the certificate and the server name that is sent",
     "openssl s_client -connect {host}:{port} -servername {sni} </dev/null 2>/dev/null | openssl "
     "x509 -noout -ext subjectAltName"},
    {tls_cert_untrusted, "tls_cert_untrusted", Phase::tls, Retry::no,
     "the certificate chain leads to no trusted root",
     "A self-signed certificate, an unknown CA, or a missing intermediate certificate.",
     "the chain that the server sends and the CA bundle used here",
     "openssl s_client -connect {host}:{port} -servername {sni} -showcerts </dev/null"},
    {tls_client_cert_required, "tls_client_cert_required", Phase::tls, Retry::no,
     "the server insists on a client certificate",
     "Mutual TLS is on and the client has no certificate, or one that the server does not accept.",
     "the client certificate settings on both sides",
     "openssl s_client -connect {host}:{port} -servername {sni} </dev/null | grep -A5 'Acceptable "
     "client'"},
    {request_unacked, "request_unacked", Phase::request, Retry::idempotent,
     "the request was sent, but the peer's kernel never acknowledged it",
     "A firewall lost the connection's state, a packet size hole, or the path broke after the "
     "connect.",
     "stateful firewalls on the path, the path's MTU",
     "ping -M do -s 1472 -c 3 {host}; conntrack -L -d {ip}"},
    {response_timeout, "response_timeout", Phase::response_headers, Retry::idempotent,
     "the request was received, but no complete answer came in time",
     "A slow query, a lock, a garbage collection pause, or all workers busy.",
     "the application's log and slow log, load and worker count",
     "journalctl -u {service} -n 50; ss -ltn 'sport = :{port}'; top -b -n 1 | head -20"},
    {closed_before_headers, "closed_before_headers", Phase::response_headers, Retry::idempotent,
     "the connection was closed before a complete response header arrived",
     "The application crashed or closed while handling the request, or a port forwarder has "
     "nothing behind it.",
     "the application's error log at that second", "journalctl -u {service} -n 50"},
    {reset_before_headers, "reset_before_headers", Phase::response_headers, Retry::idempotent,
     "the connection was reset before a complete response header arrived",
     "The application crashed or was killed while handling the request, or something on the way "
     "cut the connection.",
     "the application's error log and the kernel log (out-of-memory kills)",
     "journalctl -u {service} -n 50; dmesg -T | tail -20"},
    {invalid_response, "invalid_response", Phase::response_headers, Retry::no,
     "the answer breaks the protocol's rules",
     "The application writes before its headers, a wrong Content-Length, or a broken proxy.",
     "the raw answer", "curl -sv --raw {url} -o /dev/null"},
    {headers_too_large, "headers_too_large", Phase::response_headers, Retry::no,
     "the response headers exceed the limit",
     "Cookies or debug headers grew beyond what proxies accept.",
     "the size of the response headers against the proxy's buffer",
     "curl -s -o /dev/null -D - {url} | wc -c"},
    {body_truncated, "body_truncated", Phase::response_body, Retry::idempotent,
     "the connection ended in the middle of the body",
     "A worker was killed or crashed while it answered.",
     "the application's error log, worker exits, the kernel log",
     "journalctl -u {service} -n 50; dmesg -T | tail -20"},
    {body_timeout, "body_timeout", Phase::response_body, Retry::idempotent,
     "the body stopped arriving",
     "The application, its database or a disk stalled while it answered.",
     "the application's log, then disk and network",
     "journalctl -u {service} -n 50; cat /proc/pressure/io"},
    {http_4xx, "http_4xx", Phase::http_status, Retry::no,
     "the server answered with a client error status",
     "Wrong path, missing authentication, or a document root or route that changed.",
     "route, path and authentication of the checked URL", "curl -si {url} | head -20"},
    {http_5xx, "http_5xx", Phase::http_status, Retry::no,
     "the application answered with a server error",
     "An exception or fatal error in the application.", "the application's error log",
     "journalctl -u {service} -n 50"},
    {http_503, "http_503", Phase::http_status, Retry::never,
     "the server says it is unavailable (503)",
     "Maintenance, overload, or no healthy backend behind it.",
     "the server's own health page and load; do not retry harder", "curl -si {url} | head -20"},
    {http_gateway_error, "http_gateway_error", Phase::http_status, Retry::no,
     "the server is a proxy, and what is behind it failed (502 or 504)",
     "The next upstream behind this proxy is down, slow or misconfigured.",
     "that proxy's error log", "tail -n 50 /var/log/nginx/error.log"},
    {rate_limited, "rate_limited", Phase::http_status, Retry::never,
     "the server limits the request rate (429)",
     "A rate limiter counts this client's requests as too many.",
     "the limiter's configuration and the number of clients behind this address",
     "curl -si {url} | grep -iE '^(HTTP|retry-after|x-ratelimit)'"},
    {content_mismatch, "content_mismatch", Phase::content, Retry::no,
     "an accepted status, but not the expected body, header or redirect",
     "Another version or site answers, a cache is stale, or a login page stands in front.",
     "what is deployed there and what the answer says", "curl -si {url} | head -40"},
    {slow_response, "slow_response", Phase::content, Retry::no,
     "a complete and correct answer, later than the limit",
     "Slow queries, saturated workers or CPU: degraded, not down.",
     "slow log, load and database of the application",
     "top -b -n 1 | head -20; cat /proc/pressure/cpu"},
    {protocol_mismatch, "protocol_mismatch", Phase::protocol, Retry::no,
     "the other side speaks another protocol",
     "Wrong port or scheme: TLS to a plain port, HTTP to a TLS, SSH or FastCGI port.",
     "scheme and port in proxy_pass or in the target",
     "curl -sv http://{host}:{port}/ -o /dev/null; curl -skv https://{host}:{port}/ -o /dev/null"},
    {http2_error, "http2_error", Phase::protocol, Retry::idempotent,
     "the HTTP/2 stream or connection was ended with an error",
     "The server's HTTP/2 limits, a drain, or a bug in framing.",
     "the server's log and its HTTP/2 limits", "curl -sv {url} -o /dev/null"},
    {grpc_not_serving, "grpc_not_serving", Phase::protocol, Retry::no,
     "the health service answers that the service is not serving, or does not know it",
     "The application is not ready: a dependency is missing, or the service name is wrong.",
     "the application's readiness and its dependencies", "journalctl -u {service} -n 50"},
    {grpc_error, "grpc_error", Phase::protocol, Retry::no,
     "the call ended with a gRPC status other than OK",
     "No health service is registered, or the call failed inside the application.",
     "the application's log", "journalctl -u {service} -n 50"},
    {no_live_upstream, "no_live_upstream", Phase::pool, Retry::no,
     "the proxy has no usable backend left",
     "All backends failed their health checks or were ejected.",
     "the health-check lines in the proxy's log before this one",
     "grep -E 'DOWN|no live upstreams|health' /var/log/nginx/error.log /var/log/haproxy.log"},
    {pool_exhausted, "pool_exhausted", Phase::pool, Retry::no,
     "all workers or connections of a pool are in use",
     "Slow requests hold all workers, or the pool is too small.",
     "which requests are slow, then the size of the pool",
     "ss -ltn 'sport = :{port}'; journalctl -u {service} -n 50"},
    {worker_crashed, "worker_crashed", Phase::pool, Retry::no, "a worker process ended on a signal",
     "A segmentation fault, an abort, or the kernel's out-of-memory killer.",
     "the kernel log and the core dump", "dmesg -T | tail -20; coredumpctl list"},
    {worker_timeout, "worker_timeout", Phase::pool, Retry::no,
     "a worker was ended because its request took too long",
     "A slow query or call exceeded the execution time limit.", "the slow log's stack trace",
     "journalctl -u {service} -n 50"},
    {unknown, "unknown", Phase::unknown, Retry::no, "no rule matched what was seen",
     "Not known; the evidence is kept in the detail.", "the detail of the result",
     "upstream-agent probe {url}"},
}};

constexpr std::array<std::string_view, 12> kPhaseNames{
    "local",         "dns",         "connect", "tls",      "request", "response_headers",
    "response_body", "http_status", "content", "protocol", "pool",    "unknown"};

constexpr bool catalogue_is_whole() {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    const ErrorClassInfo& row = kCatalogue[i];
    if (row.code() != i + 1) return false;
    if (row.name.empty() || row.meaning.empty() || row.likely_cause.empty()) return false;
    if (row.first_check.empty() || row.command.empty()) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (kCatalogue[j].name == row.name) return false;
    }
  }
  return true;
}
static_assert(catalogue_is_whole(), "every class once, in code order, with all its texts");

}  // namespace

std::span<const ErrorClassInfo, kErrorClassCount> catalogue() { return kCatalogue; }

const ErrorClassInfo& info(ErrorClass error_class) {
  assert(error_class != ErrorClass::none);
  return kCatalogue[static_cast<std::size_t>(error_class) - 1];
}

std::string_view name(ErrorClass error_class) {
  return error_class == ErrorClass::none ? "none" : info(error_class).name;
}

std::string_view name(Phase phase) { return kPhaseNames[static_cast<std::size_t>(phase)]; }

std::string_view name(Retry retry) {
  switch (retry) {
    case Retry::any:
      return "any";
    case Retry::idempotent:
      return "idempotent";
    case Retry::no:
      return "no";
    case Retry::never:
      return "never";
  }
  return "no";
}

Phase phase_of(ErrorClass error_class) { return info(error_class).phase; }

std::optional<ErrorClass> error_class_from_name(std::string_view text) {
  for (const ErrorClassInfo& row : kCatalogue) {
    if (row.name == text) return row.error_class;
  }
  return std::nullopt;
}

}  // namespace ua
