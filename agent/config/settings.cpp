// SPDX-License-Identifier: Apache-2.0
#include "agent/config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <string_view>

#include "agent/config/upstream_reader.h"
#include "agent/config/web_reader.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 2> kFormats{"logfmt", "json"};
constexpr std::array<std::string_view, 7> kPhases{
    "dns", "connect", "tls", "request", "response_headers", "response_body", "total"};
constexpr std::array<std::string_view, 14> kSamplers{
    "cpu",         "load", "memory", "pressure", "oom",       "swap",        "boot",
    "connections", "tcp",  "ports",  "network",  "conntrack", "descriptors", "filesystems"};
constexpr std::size_t kMaxBuckets = 50;
constexpr unsigned kMaxShards = 10'000;

std::optional<unsigned> number_of(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<ShardConfig> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto index = number_of(text.substr(0, slash));
  const auto count = number_of(text.substr(slash + 1));
  if (!index || !count || *index >= *count || *count > kMaxShards) return std::nullopt;
  return ShardConfig{*index, *count};
}

template <typename T>
void take_integer(TableReader& table, std::string_view key, std::int64_t least, std::int64_t most,
                  T& into) {
  if (const auto value = table.integer(key, least, most)) into = static_cast<T>(*value);
}

void take_duration(TableReader& table, std::string_view key, Duration least, Duration most,
                   Duration& into) {
  into = table.duration(key, least, most).value_or(into);
}

}  // namespace

void SettingsReader::read(TableReader& root, const toml::table& document) {
  struct Row {
    std::string_view name;
    void (SettingsReader::*read)(TableReader&);
  };
  static constexpr std::array<Row, 8> kTables{{
      {"web", &SettingsReader::read_web},
      {"logging", &SettingsReader::read_logging},
      {"agent", &SettingsReader::read_agent},
      {"limits", &SettingsReader::read_limits},
      {"defaults", &SettingsReader::read_defaults},
      {"metrics", &SettingsReader::read_metrics},
      {"host", &SettingsReader::read_host},
      {"discovery", &SettingsReader::read_discovery},
  }};
  for (const Row& row : kTables) {
    auto table = root.table(row.name);
    if (!table) continue;
    claim(root, *document[row.name].as_table(), std::string(row.name));
    (this->*row.read)(*table);
    table->finish();
  }
}

/// Notes where each value of a table was set, and finds those set in another file too.
void SettingsReader::claim(TableReader& root, const toml::table& table, const std::string& path) {
  for (const auto& [key, node] : table) {
    const std::string name = path + '.' + escape_line(key.str(), 60);
    const toml::source_position at = node.source().begin;
    const auto [it, fresh] = claimed_.emplace(name, Place{root.file(), at.line, at.column});
    if (const toml::table* inner = node.as_table()) {
      claim(root, *inner, name);
      continue;
    }
    if (fresh) continue;
    const Place& first = it->second;
    root.complain_at(node, name + ": is set at " + escape_line(first.file) + ':' +
                               std::to_string(first.line) + ':' + std::to_string(first.column) +
                               " already");
  }
}

/// Only where the key is set, or its table of [web]: nobody is blamed for a default.
void SettingsReader::complain(Diagnostics& diagnostics, std::string_view key,
                              std::string message) const {
  auto place = claimed_.find(key);
  if (place == claimed_.end()) place = claimed_.find(key.substr(0, key.rfind('.')));
  if (place == claimed_.end()) return;
  diagnostics.push_back(Diagnostic{place->second.file, place->second.line, place->second.column,
                                   std::string(key) + ": " + std::move(message)});
}

void SettingsReader::check(Diagnostics& diagnostics) {
  const auto tls_key = [](std::string_view key) {
    return "web.tls_server_config." + std::string(key);
  };
  load_tls_server(config_.web,
                  {[&](std::string_view key) { return claimed_.contains(tls_key(key)); },
                   [&](std::string_view key, std::string message) {
                     complain(diagnostics, tls_key(key), std::move(message));
                   }});
  const RunOptions& run = defaults_.run;
  if (run.timeout > defaults_.interval) {
    complain(diagnostics, "defaults.timeout",
             longer_than_interval(run.timeout, defaults_.interval));
  }
  if (run.slow_threshold && *run.slow_threshold >= run.timeout) {
    complain(diagnostics, "defaults.slow_threshold", not_below_timeout(run.timeout));
  }
}

void SettingsReader::read_web(TableReader& table) { ua::read_web(table, config_.web); }

void SettingsReader::read_logging(TableReader& table) {
  if (const auto level = table.choice("level", kLevels)) config_.logging.level = kLevels[*level];
  if (const auto format = table.choice("format", kFormats)) {
    config_.logging.format = kFormats[*format];
  }
}

void SettingsReader::read_agent(TableReader& table) {
  read_shard(table);
  if (const auto threads = table.integer("threads", 1, 1024); threads && *threads != 1) {
    table.complain("threads", "more than 1 is not supported by this version");
  }
  table.not_yet("state_dir");
}

void SettingsReader::read_shard(TableReader& table) {
  const auto text = table.text("shard");
  if (!text) return;
  if (const auto shard = parse_shard(*text)) {
    config_.shard = *shard;
  } else {
    table.complain("shard", "'" + escape_line(*text, 60) +
                                "' is no shard; write \"0/4\" to \"3/4\" for the first to the last "
                                "of four agents");
  }
}

void SettingsReader::read_limits(TableReader& table) {
  LimitsConfig& limits = config_.limits;
  take_integer(table, "max_series", 1, 100'000'000, limits.max_series);
  take_integer(table, "max_in_flight", 1, 100'000, limits.max_in_flight);
  take_integer(table, "max_connections", 1, 10'000, limits.max_connections);
  take_integer(table, "max_connections_per_address", 1, 10'000, limits.max_connections_per_address);
  limits.probe.max_body = table.size("max_body", 1, 1ULL << 30U).value_or(limits.probe.max_body);
}

void SettingsReader::read_defaults(TableReader& table) {
  take_duration(table, "interval", kLeastInterval, kMostInterval, defaults_.interval);
  take_integer(table, "rise", 1, 100, defaults_.rise);
  take_integer(table, "fall", 1, 100, defaults_.fall);
  defaults_.run = read_run_options(table, defaults_.run);
}

void SettingsReader::read_metrics(TableReader& table) {
  if (const auto phases = table.choices("histogram_phases", kPhases)) {
    config_.metrics.histogram_phases.clear();
    for (const std::size_t phase : *phases) {
      config_.metrics.histogram_phases.push_back(static_cast<TimedPhase>(phase));
    }
  }
  read_buckets(table);
  take_duration(table, "birth_hold", 0s, 1h, config_.metrics.birth_hold);
}

void SettingsReader::read_buckets(TableReader& table) {
  const toml::node* node = table.node("buckets");
  if (node == nullptr) return;
  std::vector<double> buckets;
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& item : *list) buckets.push_back(item.value<double>().value_or(-1));
  }
  const bool rising =
      std::adjacent_find(buckets.begin(), buckets.end(), std::greater_equal<>()) == buckets.end();
  const bool good = !buckets.empty() && rising && buckets.front() > 0 &&
                    std::all_of(buckets.begin(), buckets.end(),
                                [](double bound) { return std::isfinite(bound); });
  if (!good) {
    table.complain("buckets", "expected rising seconds above 0, such as [0.1, 0.5, 1]");
  } else if (buckets.size() > kMaxBuckets) {
    table.complain("buckets", "there are at most 50");
  } else {
    config_.metrics.buckets = std::move(buckets);
  }
}

void SettingsReader::read_host(TableReader& table) {
  take_duration(table, "interval", 1s, 1h, config_.host.interval);
  if (const auto samplers = table.choices("samplers", kSamplers)) {
    config_.host.samplers.clear();
    for (const std::size_t sampler : *samplers) {
      config_.host.samplers.emplace_back(kSamplers[sampler]);
    }
  }
  if (const auto ports = table.integers("watch_ports", 1, 65535)) {
    config_.host.watch_ports.assign(ports->begin(), ports->end());
  }
}

void SettingsReader::read_discovery(TableReader& table) {
  config_.discovery.nginx = table.boolean("nginx").value_or(config_.discovery.nginx);
  config_.discovery.listeners = table.boolean("listeners").value_or(config_.discovery.listeners);
  for (const std::string_view later :
       {"apache", "haproxy", "envoy", "caddy", "file_sd", "http_sd", "dns_srv", "containers"}) {
    table.not_yet(later);
  }
}

}  // namespace ua
