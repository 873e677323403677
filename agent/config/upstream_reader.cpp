// SPDX-License-Identifier: Apache-2.0
#include "agent/config/upstream_reader.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "collectors/core/text.h"
#include "collectors/probes/dns/dns_options.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/net/socket_options.h"

namespace ua {
namespace {

constexpr std::size_t kMaxLabelValue = 128;
constexpr std::array<std::string_view, 10> kReservedLabels{
    "upstream", "target", "address",  "phase", "error_class",
    "cause",    "le",     "quantile", "job",   "instance"};
/// A label of all series would stand in for these of one, and what they say would be lost.
constexpr std::array<std::string_view, 7> kInfoLabels{
    "type", "service", "version", "cipher", "issuer", "subject", "fingerprint_sha256"};
constexpr std::array<std::string_view, 2> kLaterTables{"icmp", "grpc"};

bool is_printable(std::string_view text) { return escape_line(text, text.size()) == text; }

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Prometheus' data model; names that begin with two underscores are its own.
bool is_label_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9') || text.starts_with("__")) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '_'; });
}

/// Names of units (systemd.unit(5)), containers and processes.
bool is_service_name(std::string_view text) {
  return !text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || std::string_view(":-_.@\\/").find(c) != std::string::npos;
  });
}

template <std::size_t kSize>
bool is_one_of(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Empty where there is none.
std::string label_mistake(const std::string& key, const std::string& value) {
  const std::string shown = '\'' + escape_line(key, 60) + '\'';
  if (!is_label_name(key)) return shown + " is no label name; use letters, digits and underscores";
  if (is_one_of(kReservedLabels, key)) {
    return shown + " is set by the agent or by Prometheus; choose another";
  }
  if (is_one_of(kInfoLabels, key)) {
    return shown + " is a label of upstream_info or upstream_probe_tls_info; choose another";
  }
  if (value.size() > kMaxLabelValue) return "the value of " + shown + " is longer than 128 bytes";
  if (!is_printable(value)) return "the value of " + shown + " has control characters";
  return "";
}

void read_labels(TableReader& table, UpstreamConfig& upstream) {
  for (TableReader::Pair& pair : table.text_pairs("labels")) {
    const std::string mistake = label_mistake(pair.key, pair.value);
    if (mistake.empty()) {
      upstream.labels.emplace_back(std::move(pair.key), std::move(pair.value));
    } else {
      table.complain_item("labels", *pair.node, mistake);
    }
  }
  std::sort(upstream.labels.begin(), upstream.labels.end());
}

void read_service(TableReader& table, UpstreamConfig& upstream) {
  const auto service = table.text("service");
  if (!service) return;
  if (is_service_name(*service) && service->size() <= kMaxLabelValue) {
    upstream.service = *service;
  } else {
    table.complain("service", "'" + escape_line(*service, 60) +
                                  "' is no name of a unit, container or process");
  }
}

/// What of a target its options do not fit; empty: nothing.
std::string option_mistake(const Target& target, const RunOptions& run, const ProbeSetup& setup) {
  std::string mistake = setup.mistake ? setup.mistake(target) : "";
  if (!mistake.empty() || !run.socket) return mistake;
  if (run.socket->proxy_protocol && setup.via != nullptr) {
    return "proxy_protocol would go to the forward proxy; leave it or http.proxy_url out";
  }
  return "";
}

/// What keeps a target from being connected to; empty: nothing.
std::string connect_mistake(const Target& target, const RunOptions& run) {
  if (std::string mistake = run.socket ? socket_mistake(*run.socket, target) : "";
      !mistake.empty()) {
    return mistake;
  }
  const auto literal = ip_endpoint(target.host, target.port);
  if (!literal) return "";
  if (is_link_local(*literal) && target.host.find('%') == std::string::npos) {
    return "a link-local address needs its interface, as in [" + target.host + "%eth0]";
  }
  const bool v4 = literal->family() == AF_INET;
  if (run.ip_protocol == (v4 ? IpProtocol::v6 : IpProtocol::v4)) {
    return std::string("an IPv") + (v4 ? '4' : '6') + " address, but ip_protocol is \"" +
           (v4 ? '6' : '4') + '"';
  }
  return "";
}

/// What of a target can never work, with the options it is probed with; empty: nothing.
std::string target_mistake(const Target& target, const RunOptions& run, const ProbeSetup& setup) {
  std::string mistake = option_mistake(target, run, setup);
  if (!mistake.empty()) return mistake;
  if (setup.via == nullptr) return connect_mistake(target, run);
  mistake = connect_mistake(*setup.via, run);
  return mistake.empty() ? "" : "its http.proxy_url is " + mistake;
}

/// An address to connect from decides for one IP version.
void read_socket(TableReader& table, RunOptions& run) {
  auto options = read_socket_options(table);
  if (!options) return;
  if (options->source) {
    const bool v4 = options->source->family() == AF_INET;
    if (run.ip_protocol == (v4 ? IpProtocol::v6 : IpProtocol::v4)) {
      table.complain("source_address", std::string("an IPv") + (v4 ? '4' : '6') +
                                           " address, but ip_protocol is \"" + (v4 ? '6' : '4') +
                                           '"');
    }
    run.ip_protocol = v4 ? IpProtocol::v4 : IpProtocol::v6;
  }
  run.socket = std::make_shared<const SocketOptions>(std::move(*options));
}

/// The same for all spellings of a target.
std::string identity_of(const Target& target) {
  const std::string place = target.is_unix() ? target.unix_path : to_lower(target.authority());
  return target.scheme + ' ' + place + ' ' + target.path.substr(0, target.path.find('?'));
}

std::string stands_twice(const std::string& label, const std::string& first) {
  const std::string shown = '\'' + escape_line(label, 200) + '\'';
  return label == first ? shown + " stands there twice (queries do not count)"
                        : shown + " is the same target as '" + escape_line(first, 200) + '\'';
}

/// Over TCP a name server is connected to like any other, wherever it is said that it is TCP.
void settle_transport(Target& target, TableReader& upstream) {
  if (target.scheme != "dns") return;
  const toml::node* node = upstream.node("dns");
  const toml::table* table = node == nullptr ? nullptr : node->as_table();
  const std::string transport =
      table == nullptr ? "" : (*table)["transport"].value<std::string>().value_or("");
  target.connects_itself = !dns_over_stream(target.path, transport);
}

/// Reads `targets`, and the tables that say how they are probed.
class TargetsReader {
 public:
  TargetsReader(TableReader& table, const ProbeLimits& limits, UpstreamConfig& upstream)
      : table_(table), limits_(limits), upstream_(upstream) {}

  void read(const std::vector<TableReader::Item>& urls) {
    for (const TableReader::Item& url : urls) add(url);
    if (upstream_.targets.empty()) {  // the mistakes in the tables are shown all the same
      for (const ProbeType& type : probe_types()) setup_of(type);
    }
    check_tables(upstream_.targets.size() == urls.size() && !urls.empty());
    for (const std::string_view name : kLaterTables) table_.not_yet(name);
  }

 private:
  const ProbeSetup& setup_of(const ProbeType& type) {
    const auto known = setups_.find(&type);
    return known != setups_.end()
               ? known->second
               : setups_.emplace(&type, type.read(table_, limits_)).first->second;
  }

  void add(const TableReader::Item& url) {
    Result<Target> target = parse_target(url.text);
    if (!target) return table_.complain_item("targets", *url.node, target.error().message);
    const ProbeType& type = *find_probe_type(target->scheme);  // parse_target() lets no other pass
    const ProbeSetup& setup = setup_of(type);
    settle_transport(*target, table_);
    if (const std::string mistake = target_mistake(*target, upstream_.run, setup);
        !mistake.empty()) {
      return table_.complain_item("targets", *url.node,
                                  '\'' + escape_line(target->label, 200) + "': " + mistake);
    }
    const auto [first, fresh] = written_as_.emplace(identity_of(*target), target->label);
    if (!fresh) {
      return table_.complain_item("targets", *url.node, stands_twice(target->label, first->second));
    }
    const bool tls = target->is_tls() || setup.follows_redirects;
    for (const std::string_view name : type.tables) {
      if (name != "tls" || tls) applying_.insert(name);
    }
    upstream_.targets.push_back(TargetConfig{std::move(*target), std::string(type.name), setup.make,
                                             setup.buffer_bytes, setup.via, setup.flags});
  }

  /// A table of options that no target uses is a mistake: its author expects it to do something.
  /// @param all_known whether each target is one
  void check_tables(bool all_known) {
    for (const ProbeType& type : probe_types()) {
      for (const std::string_view name : type.tables) {
        if (table_.node(name) == nullptr || !all_known || !applying_.insert(name).second) continue;
        table_.complain(name, "does not apply to any of the targets");
      }
    }
  }

  TableReader& table_;
  const ProbeLimits& limits_;
  UpstreamConfig& upstream_;
  std::map<const ProbeType*, ProbeSetup> setups_;
  std::set<std::string_view> applying_;            // tables
  std::map<std::string, std::string> written_as_;  // label by what it is
};

}  // namespace

std::string longer_than_interval(Duration timeout, Duration interval) {
  return "the timeout (" + format_duration(timeout) + ") is longer than the interval (" +
         format_duration(interval) + ")";
}

std::string not_below_timeout(Duration timeout) {
  return "is not below the timeout (" + format_duration(timeout) + "): nothing would ever be slow";
}

UpstreamConfig UpstreamReader::read(TableReader& table) {
  UpstreamConfig upstream;
  upstream.origin = table.file() + ':' + std::to_string(table.line());
  read_name(table, upstream);
  read_times(table, upstream);
  read_service(table, upstream);
  read_labels(table, upstream);
  read_targets(table, upstream);
  table.finish();
  return upstream;
}

void UpstreamReader::read_name(TableReader& table, UpstreamConfig& upstream) {
  const bool written = table.has("name");
  const auto name = table.text("name");
  if (!name || name->empty()) {
    if (name || !written) table.complain("name", "is missing");
  } else if (name->size() > kMaxLabelValue) {
    table.complain("name", "is longer than 128 bytes");
  } else if (!is_printable(*name)) {
    table.complain("name", "has control characters");
  } else {
    upstream.name = *name;
    const auto [it, fresh] = names_.emplace(*name, upstream.origin);
    if (!fresh) {
      table.complain("name", "'" + *name + "' is the name of the upstream at " +
                                 escape_line(it->second) + " already");
    }
  }
}

void UpstreamReader::read_times(TableReader& table, UpstreamConfig& upstream) const {
  upstream.interval =
      table.duration("interval", kLeastInterval, kMostInterval).value_or(defaults_.interval);
  upstream.rise = static_cast<unsigned>(table.integer("rise", 1, 100).value_or(defaults_.rise));
  upstream.fall = static_cast<unsigned>(table.integer("fall", 1, 100).value_or(defaults_.fall));
  upstream.run = read_run_options(table, defaults_.run);
  read_socket(table, upstream.run);
  if (!table.has("timeout")) {
    // As Prometheus does with its scrape_timeout: a default makes room for a short interval.
    upstream.run.timeout = std::min(upstream.run.timeout, upstream.interval);
  } else if (upstream.run.timeout > upstream.interval) {
    table.complain("timeout", longer_than_interval(upstream.run.timeout, upstream.interval));
  }
  if (table.has("slow_threshold") && upstream.run.slow_threshold >= upstream.run.timeout) {
    table.complain("slow_threshold", not_below_timeout(upstream.run.timeout));
  }
}

void UpstreamReader::read_targets(TableReader& table, UpstreamConfig& upstream) const {
  const bool written = table.has("targets");
  const auto urls = table.texts("targets");
  if (!written || (urls && urls->empty())) {
    table.complain("targets", "is missing; write at least one, as in [\"http://127.0.0.1:8080/\"]");
  }
  TargetsReader(table, limits_, upstream).read(urls.value_or(std::vector<TableReader::Item>{}));
}

}  // namespace ua
