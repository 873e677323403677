// SPDX-License-Identifier: Apache-2.0
#include "agent/config/key_places.h"

#include <array>

namespace ua {
namespace {

// In the order in which they are proposed.
constexpr std::array<KeyPlace, 57> kPlaces{{
    {"upstream", "name"},
    {"upstream", "targets"},
    {"upstream", "interval"},
    {"upstream", "timeout"},
    {"upstream", "rise"},
    {"upstream", "fall"},
    {"upstream", "addresses"},
    {"upstream", "ip_protocol"},
    {"upstream", "slow_threshold"},
    {"upstream", "service"},
    {"upstream", "labels"},
    {"upstream", "source_address"},
    {"upstream", "interface"},
    {"upstream", "dscp"},
    {"upstream", "proxy_protocol"},
    {"upstream", "http"},
    {"upstream", "tls"},
    {"upstream", "tcp"},
    {"upstream.http", "method"},
    {"upstream.http", "host"},
    {"upstream.http", "headers"},
    {"upstream.http", "expect_status"},
    {"upstream.http", "expect_body"},
    {"upstream.http", "follow_redirects"},
    {"upstream.http", "basic_auth"},
    {"upstream.http", "bearer_token_file"},
    {"upstream.http", "max_body"},
    {"upstream.tls", "ca_file"},
    {"upstream.tls", "server_name"},
    {"upstream.tls", "insecure_skip_verify"},
    {"upstream.tcp", "exchange"},
    {"upstream.tcp.exchange", "send"},
    {"upstream.tcp.exchange", "expect"},
    {"defaults", "interval"},
    {"defaults", "timeout"},
    {"defaults", "rise"},
    {"defaults", "fall"},
    {"defaults", "addresses"},
    {"defaults", "ip_protocol"},
    {"defaults", "slow_threshold"},
    {"web", "listen_address"},
    {"web", "tls_server_config"},
    {"web", "basic_auth_users"},
    {"web.tls_server_config", "cert_file"},
    {"web.tls_server_config", "key_file"},
    {"web.tls_server_config", "client_ca_file"},
    {"web.tls_server_config", "client_auth_type"},
    {"web.tls_server_config", "min_version"},
    {"logging", "level"},
    {"logging", "format"},
    {"agent", "shard"},
    {"agent", "threads"},
    {"limits", "max_series"},
    {"limits", "max_in_flight"},
    {"limits", "max_body"},
    {"limits", "max_connections"},
    {"limits", "max_connections_per_address"},
    {"metrics", "histogram_phases"},
    {"metrics", "buckets"},
    {"metrics", "birth_hold"},
    {"host", "interval"},
    {"host", "samplers"},
    {"host", "watch_ports"},
    {"discovery", "nginx"},
    {"discovery", "listeners"},
}};

}  // namespace

std::span<const KeyPlace> key_places() { return kPlaces; }

}  // namespace ua
