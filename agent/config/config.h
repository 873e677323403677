// SPDX-License-Identifier: Apache-2.0
// The whole configuration as values, validated. Immutable once loaded; a reload makes a new one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/listen_address.h"
#include "collectors/core/diagnostic.h"
#include "collectors/core/outcome.h"
#include "collectors/core/result.h"
#include "collectors/core/time.h"
#include "collectors/probes/options.h"
#include "collectors/probes/probe_types.h"
#include "collectors/probes/target.h"

namespace ua {

struct TargetConfig {
  Target target;
  std::string type;  ///< ProbeType::name
  ProbeMaker make;
  std::uint64_t buffer_bytes = 0;          ///< ProbeSetup::buffer_bytes
  std::shared_ptr<const Target> via;       ///< ProbeSetup::via
  std::shared_ptr<const ToolFlags> flags;  ///< ProbeSetup::flags

  /// What is resolved and connected to.
  const Target& first_hop() const { return via ? *via : target; }
};

using LabelPairs = std::vector<std::pair<std::string, std::string>>;  ///< sorted by name

struct UpstreamConfig {
  std::string name;
  std::vector<TargetConfig> targets;
  Duration interval = 15s;
  unsigned rise = 2;
  unsigned fall = 2;
  RunOptions run;
  std::string service;  ///< unit, container or process; empty: not said
  LabelPairs labels;
  std::string origin;  ///< "agent.toml:12", or the proxy file it was discovered in
};

/// [defaults]: what an upstream has where it says nothing itself.
struct UpstreamDefaults {
  Duration interval = 15s;
  unsigned rise = 2;
  unsigned fall = 2;
  RunOptions run;
};

/// Which part of the targets this agent probes.
struct ShardConfig {
  unsigned index = 0;  ///< from 0
  unsigned count = 1;
};

/// What a client's certificate has to be; the names of exporter-toolkit, and of Go before it.
enum class ClientAuth : std::uint8_t {
  none,                ///< NoClientCert
  request,             ///< RequestClientCert: asked for, whatever it is
  require_any,         ///< RequireAnyClientCert: there has to be one, whatever it is
  verify_if_given,     ///< VerifyClientCertIfGiven
  require_and_verify,  ///< RequireAndVerifyClientCert
};

/// [web.tls_server_config]
struct TlsServerConfig {
  std::filesystem::path cert_file;
  std::filesystem::path key_file;
  std::filesystem::path client_ca_file;  ///< empty: none
  ClientAuth client_auth = ClientAuth::none;
  bool only_tls13 = false;
  bool operator==(const TlsServerConfig&) const = default;
};

class TlsCredentials;

/// Of [web.basic_auth_users].
struct WebUser {
  std::string name;
  std::string hash;  ///< bcrypt
  bool operator==(const WebUser&) const = default;
};

struct WebConfig {
  std::vector<ListenAddress> listen_addresses{{.text = ":10917", .port = 10917}};
  std::optional<TlsServerConfig> tls;                 ///< absent: plain HTTP
  std::shared_ptr<const TlsCredentials> credentials;  ///< what `tls` names, as it was read
  std::vector<WebUser> users;                         ///< none: no password is asked for
};

struct LoggingConfig {
  std::string level = "info";
  std::string format = "logfmt";
};

struct LimitsConfig {
  std::uint64_t max_series = 1'000'000;
  unsigned max_in_flight = 4096;
  ProbeLimits probe;
  unsigned max_connections = 64;              ///< to the web endpoint
  unsigned max_connections_per_address = 16;  ///< of one client
};

struct MetricsConfig {
  std::vector<TimedPhase> histogram_phases{TimedPhase::total};
  std::vector<double> buckets{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  Duration birth_hold = 60s;
};

struct HostConfig {
  Duration interval = 5s;
  std::vector<std::string> samplers{"cpu",     "load",      "memory",      "pressure",   "oom",
                                    "swap",    "boot",      "connections", "tcp",        "ports",
                                    "network", "conntrack", "descriptors", "filesystems"};
  std::vector<std::uint16_t> watch_ports;  ///< counted apart, besides those of discovery.listeners
};

struct DiscoveryConfig {
  bool nginx = false;  ///< on by default only without a configuration file
  std::filesystem::path nginx_root = "/etc/nginx";
  bool listeners = true;  ///< count connections and queue of each port that is listened on
};

struct ConfigDocument;

struct Config {
  WebConfig web;
  LoggingConfig logging;
  ShardConfig shard;
  LimitsConfig limits;
  MetricsConfig metrics;
  HostConfig host;
  DiscoveryConfig discovery;
  UpstreamDefaults defaults;
  std::vector<UpstreamConfig> upstreams;  ///< all of them, whatever the shard
  /// The main file, or conf.d where that alone is there; nullopt: neither, defaults and discovery.
  std::optional<std::filesystem::path> file;
  std::size_t files = 0;                           ///< read, those of conf.d included
  std::shared_ptr<const ConfigDocument> document;  ///< what they say; null without any
};

struct ConfigText {
  std::string file;  ///< as it is called in diagnostics
  std::string content;
};

/// Reads `file` and, beside it, `conf.d/*.toml` in name order. All mistakes at once.
/// @return the configuration, or at least one diagnostic.
tl::expected<Config, Diagnostics> load_config(const std::filesystem::path& file);

/// The same of texts that were read already. Reads nothing but the files they name (CA, secrets).
tl::expected<Config, Diagnostics> read_config(const std::vector<ConfigText>& texts);

/// The same where nobody named a file: `file` need not be there where conf.d holds one; where there
/// is neither, the defaults hold. Whatever else keeps either from being read is a diagnostic.
tl::expected<Config, Diagnostics> load_default_config(const std::filesystem::path& file);

/// What holds without any file: this host, its listeners, nginx's upstreams.
Config default_config();

inline constexpr const char* kDefaultConfigFile = "/etc/upstream-agent/agent.toml";
inline constexpr const char* kConfD = "conf.d";  ///< the directory beside it

}  // namespace ua
