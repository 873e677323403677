// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "collectors/core/secret_file.h"
#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr unsigned kMaxNesting = 64;
constexpr std::size_t kMaxFiles = 1000;
constexpr Duration kLeastInterval = 100ms;
constexpr Duration kMostInterval = 24h;
constexpr std::size_t kMaxLabelValue = 128;

constexpr std::array<std::string_view, 9> kReservedLabels{
    "upstream", "target", "address", "phase", "error_class", "cause", "le", "job", "instance"};
constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 2> kFormats{"logfmt", "json"};
constexpr std::array<std::string_view, 7> kPhases{
    "dns", "connect", "tls", "request", "response_headers", "response_body", "total"};
constexpr std::array<std::string_view, 6> kSamplers{"cpu",      "load", "memory",
                                                    "pressure", "oom",  "connections"};

/// toml++ 3.3 overflows the stack on some 100 000 dotted parts or brackets, so nesting is counted
/// before it parses.
std::optional<Diagnostic> too_deep(const std::string& file, std::string_view content) {
  unsigned line = 1;
  unsigned dots = 0;
  unsigned brackets = 0;
  for (const char c : content) {
    if (c == '\n') {
      ++line;
      dots = 0;
    }
    if (c == '.') ++dots;
    if (c == '[' || c == '{') ++brackets;
    if ((c == ']' || c == '}') && brackets > 0) --brackets;
    if (c == '\0') return Diagnostic{file, line, 1, "the file holds a NUL byte; it is not TOML"};
    // A text may hold as many dots as it likes; only absurd lines are refused.
    if (dots > 10'000 || brackets > kMaxNesting) {
      return Diagnostic{file, line, 1, "nested too deep"};
    }
  }
  return std::nullopt;
}

/// Reads one file after another into one Config.
class Loader {
 public:
  void read_file(const std::filesystem::path& path);

  Config config;
  Diagnostics diagnostics;

 private:
  struct Defaults {
    Duration interval = 15s;
    unsigned rise = 2;
    unsigned fall = 2;
    RunOptions run;
  };

  void read_root(TableReader& root);
  void claim(TableReader& root, std::string_view table);
  void read_web(TableReader& root);
  void read_logging(TableReader& root);
  void read_agent(TableReader& root);
  void read_limits(TableReader& root);
  void read_defaults(TableReader& root);
  void read_metrics(TableReader& root);
  void read_host(TableReader& root);
  void read_discovery(TableReader& root);
  void read_upstream(TableReader& table);
  void read_labels(TableReader& table, UpstreamConfig& upstream);
  void read_targets(TableReader& table, UpstreamConfig& upstream);

  Defaults defaults_;
  std::map<std::string, std::string, std::less<>> claimed_;    // table -> where it was set
  std::map<std::string, std::string, std::less<>> upstreams_;  // name -> where
};

void Loader::read_file(const std::filesystem::path& path) {
  const std::string file = path.string();
  const Result<std::string> content = read_regular_file(path, kMaxFile);
  if (!content) {
    diagnostics.push_back(Diagnostic{file, 0, 0, content.error().message});
    return;
  }
  if (auto deep = too_deep(file, *content)) {
    diagnostics.push_back(std::move(*deep));
    return;
  }
  try {
    const toml::table document = toml::parse(std::string_view(*content), std::string_view(file));
    TableReader root(document, diagnostics, file, "");
    read_root(root);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    diagnostics.push_back(Diagnostic{file, at.line, at.column,
                                     "not valid TOML: " + std::string(error.description())});
  }
}

void Loader::read_root(TableReader& root) {
  read_defaults(root);
  read_web(root);
  read_logging(root);
  read_agent(root);
  read_limits(root);
  read_metrics(root);
  read_host(root);
  read_discovery(root);
  for (TableReader& upstream : root.tables("upstream")) read_upstream(upstream);
  for (const std::string_view later : {"tail", "proxy", "services"}) root.not_yet(later);
  root.finish();
}

/// One table, one file: whoever reads the configuration finds a setting in one place.
void Loader::claim(TableReader& root, std::string_view table) {
  if (!root.has(table)) return;
  const auto [it, fresh] = claimed_.emplace(table, root.file());
  if (!fresh) root.complain(table, "is set in " + it->second + " already");
}

void Loader::read_web(TableReader& root) {
  claim(root, "web");
  auto table = root.table("web");
  if (!table) return;
  if (auto addresses = table->texts("listen_address")) {
    if (addresses->empty()) table->complain("listen_address", "the list is empty");
    config.web.listen_addresses = std::move(*addresses);
  }
  table->not_yet("tls_server_config");
  table->not_yet("basic_auth_users");
  table->finish();
}

void Loader::read_logging(TableReader& root) {
  claim(root, "logging");
  auto table = root.table("logging");
  if (!table) return;
  if (const auto level = table->choice("level", kLevels)) config.logging.level = kLevels[*level];
  if (const auto format = table->choice("format", kFormats)) {
    config.logging.format = kFormats[*format];
  }
  table->finish();
}

void Loader::read_agent(TableReader& root) {
  claim(root, "agent");
  auto table = root.table("agent");
  if (!table) return;
  for (const std::string_view later : {"threads", "shard", "state_dir"}) table->not_yet(later);
  table->finish();
}

void Loader::read_limits(TableReader& root) {
  claim(root, "limits");
  auto table = root.table("limits");
  if (!table) return;
  LimitsConfig& limits = config.limits;
  limits.max_series =
      static_cast<std::uint64_t>(table->integer("max_series", 1, 100'000'000)
                                     .value_or(static_cast<std::int64_t>(limits.max_series)));
  limits.max_in_flight = static_cast<unsigned>(
      table->integer("max_in_flight", 1, 100'000).value_or(limits.max_in_flight));
  limits.max_body = table->size("max_body", 1, 1ULL << 30U).value_or(limits.max_body);
  limits.max_connections = static_cast<unsigned>(
      table->integer("max_connections", 1, 10'000).value_or(limits.max_connections));
  table->finish();
}

void Loader::read_defaults(TableReader& root) {
  claim(root, "defaults");
  auto table = root.table("defaults");
  if (!table) return;
  defaults_.interval =
      table->duration("interval", kLeastInterval, kMostInterval).value_or(defaults_.interval);
  defaults_.rise = static_cast<unsigned>(table->integer("rise", 1, 100).value_or(defaults_.rise));
  defaults_.fall = static_cast<unsigned>(table->integer("fall", 1, 100).value_or(defaults_.fall));
  defaults_.run = read_run_options(*table, defaults_.run);
  table->finish();
}

void Loader::read_metrics(TableReader& root) {
  claim(root, "metrics");
  auto table = root.table("metrics");
  if (!table) return;
  if (const auto phases = table->texts("histogram_phases")) {
    config.metrics.histogram_phases.clear();
    for (const std::string& phase : *phases) {
      const auto* const found = std::find(kPhases.begin(), kPhases.end(), phase);
      if (found == kPhases.end()) {
        table->complain("histogram_phases", "'" + escape_line(phase, 60) + "' is no phase");
      } else {
        config.metrics.histogram_phases.push_back(static_cast<TimedPhase>(found - kPhases.begin()));
      }
    }
  }
  if (const toml::node* node = table->node("buckets")) {
    std::vector<double> buckets;
    if (const toml::array* list = node->as_array()) {
      for (const toml::node& item : *list) buckets.push_back(item.value<double>().value_or(-1));
    }
    const bool rising = std::adjacent_find(buckets.begin(), buckets.end(), [](double a, double b) {
                          return !(a < b);
                        }) == buckets.end();
    if (buckets.empty() || buckets.size() > 50 || !rising || !(buckets[0] > 0)) {
      table->complain("buckets", "expected rising seconds above 0, such as [0.1, 0.5, 1]");
    } else {
      config.metrics.buckets = std::move(buckets);
    }
  }
  config.metrics.birth_hold =
      table->duration("birth_hold", 0s, 1h).value_or(config.metrics.birth_hold);
  table->finish();
}

void Loader::read_host(TableReader& root) {
  claim(root, "host");
  auto table = root.table("host");
  if (!table) return;
  config.host.interval = table->duration("interval", 1s, 1h).value_or(config.host.interval);
  if (auto samplers = table->texts("samplers")) {
    for (const std::string& sampler : *samplers) {
      if (std::find(kSamplers.begin(), kSamplers.end(), sampler) == kSamplers.end()) {
        table->complain("samplers", "'" + escape_line(sampler, 60) +
                                        "' is no sampler; there are cpu, load, memory, pressure, "
                                        "oom and connections");
      }
    }
    config.host.samplers = std::move(*samplers);
  }
  table->finish();
}

void Loader::read_discovery(TableReader& root) {
  claim(root, "discovery");
  auto table = root.table("discovery");
  if (!table) return;
  config.discovery.nginx = table->boolean("nginx").value_or(false);
  config.discovery.listeners = table->boolean("listeners").value_or(false);
  for (const std::string_view later :
       {"apache", "haproxy", "envoy", "caddy", "file_sd", "http_sd", "dns_srv", "containers"}) {
    table->not_yet(later);
  }
  table->finish();
}

bool is_label_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9') || text.starts_with("__")) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void Loader::read_labels(TableReader& table, UpstreamConfig& upstream) {
  for (auto& [key, value] : table.text_pairs("labels")) {
    if (!is_label_name(key)) {
      table.complain("labels", "'" + escape_line(key, 60) +
                                   "' is no label name; use letters, digits and underscores");
    } else if (std::find(kReservedLabels.begin(), kReservedLabels.end(), key) !=
               kReservedLabels.end()) {
      table.complain("labels",
                     "'" + key + "' is set by the agent or by Prometheus; choose another");
    } else if (value.size() > kMaxLabelValue) {
      table.complain("labels", "the value of '" + key + "' is longer than 128 bytes");
    } else {
      upstream.labels.emplace_back(std::move(key), std::move(value));
    }
  }
  std::sort(upstream.labels.begin(), upstream.labels.end());
}

std::string known_schemes() {
  std::string result;
  for (const ProbeType& type : probe_types()) {
    for (const std::string_view scheme : type.schemes) {
      result += (result.empty() ? "" : ", ") + std::string(scheme);
    }
  }
  return result;
}

void Loader::read_targets(TableReader& table, UpstreamConfig& upstream) {
  const auto urls = table.texts("targets");
  if (!urls || urls->empty()) {
    table.complain("targets", "is missing; write at least one, as in [\"http://127.0.0.1:8080/\"]");
    return;
  }
  std::map<const ProbeType*, ProbeMaker> makers;
  std::set<std::string_view> applies;
  std::set<std::string> labels;
  for (const std::string& url : *urls) {
    Result<Target> target = parse_target(url);
    if (!target) {
      table.complain("targets", target.error().message);
      continue;
    }
    const ProbeType* type = find_probe_type(target->scheme);
    if (type == nullptr) {
      table.complain("targets", "no probe for '" + escape_line(target->scheme, 60) +
                                    "://'; there are " + known_schemes());
      continue;
    }
    if (!labels.insert(target->label).second) {
      table.complain("targets", "'" + escape_line(target->label, 200) + "' stands there twice");
      continue;
    }
    if (!makers.contains(type)) makers[type] = type->read(table);
    applies.insert(type->tables.begin(), type->tables.end());
    upstream.targets.push_back(
        TargetConfig{std::move(*target), std::string(type->name), makers[type]});
  }
  for (const std::string_view known : {"http", "tls"}) {
    if (table.node(known) != nullptr && !applies.contains(known) && !upstream.targets.empty()) {
      table.complain(known, "does not apply to any of the targets");
    }
  }
  for (const std::string_view later : {"tcp", "dns", "icmp", "grpc", "fastcgi"}) {
    table.not_yet(later);
  }
}

void Loader::read_upstream(TableReader& table) {
  UpstreamConfig upstream;
  upstream.origin = table.file() + ':' + std::to_string(table.line());
  const auto name = table.text("name");
  if (!name || name->empty()) {
    table.complain("name", "is missing");
  } else if (name->size() > kMaxLabelValue) {
    table.complain("name", "is longer than 128 bytes");
  } else {
    upstream.name = *name;
    const auto [it, fresh] = upstreams_.emplace(*name, upstream.origin);
    if (!fresh) {
      table.complain("name",
                     "'" + escape_line(*name, 60) + "' is the name of " + it->second + " already");
    }
  }
  upstream.interval =
      table.duration("interval", kLeastInterval, kMostInterval).value_or(defaults_.interval);
  upstream.rise = static_cast<unsigned>(table.integer("rise", 1, 100).value_or(defaults_.rise));
  upstream.fall = static_cast<unsigned>(table.integer("fall", 1, 100).value_or(defaults_.fall));
  upstream.run = read_run_options(table, defaults_.run);
  if (upstream.run.timeout > upstream.interval) {
    table.complain(table.has("timeout") ? "timeout" : "interval",
                   "the timeout (" + format_duration(upstream.run.timeout) +
                       ") is longer than the interval (" + format_duration(upstream.interval) +
                       ")");
  }
  upstream.service = table.text("service").value_or("");
  read_labels(table, upstream);
  read_targets(table, upstream);
  table.finish();
  config.upstreams.push_back(std::move(upstream));
}

}  // namespace

tl::expected<Config, Diagnostics> load_config(const std::filesystem::path& file) {
  Loader loader;
  loader.read_file(file);
  std::vector<std::filesystem::path> more;
  std::error_code error;
  for (std::filesystem::directory_iterator it(file.parent_path() / "conf.d", error), end;
       !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".toml" && more.size() < kMaxFiles) more.push_back(it->path());
  }
  std::sort(more.begin(), more.end());
  for (const std::filesystem::path& path : more) loader.read_file(path);
  if (!loader.diagnostics.empty()) {
    std::stable_sort(loader.diagnostics.begin(), loader.diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) {
                       return std::tie(a.file, a.line, a.column) <
                              std::tie(b.file, b.line, b.column);
                     });
    return tl::unexpected(std::move(loader.diagnostics));
  }
  loader.config.file = file;
  return std::move(loader.config);
}

Config default_config() {
  Config config;
  config.discovery.nginx = true;
  config.discovery.listeners = true;
  return config;
}

}  // namespace ua
