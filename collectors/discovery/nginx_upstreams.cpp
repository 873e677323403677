// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_upstreams.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/discovery/nginx_address.h"
#include "collectors/discovery/nginx_names.h"
#include "collectors/discovery/nginx_scope.h"

namespace ua {
namespace {

constexpr std::size_t kMaxTargets = 20'000;
constexpr std::size_t kMaxNotes = 100;
constexpr std::size_t kMaxMapLines = 1000;
// Their proxy_pass is a directive; in a `map` or in `types` it would be a value.
constexpr std::array<std::string_view, 4> kBlocks{"server", "location", "if", "limit_except"};

std::string place(const NginxDirective& directive) {
  return directive.file + ':' + std::to_string(directive.line);
}

/// Notes are shown on the status page and in logs.
std::string shown(std::string_view address) { return escape_line(without_secrets(address), 100); }

bool has(const NginxDirective& d, std::string_view word) {
  return std::find(d.arguments.begin(), d.arguments.end(), word) != d.arguments.end();
}

/// The values in a `map`, `geo` or `split_clients` block.
NginxValues values_of(const NginxDirective& map) {
  NginxValues result;
  result.more = map.block.size() > kMaxMapLines;
  for (std::size_t i = 0; i < std::min(map.block.size(), kMaxMapLines); ++i) {
    const auto& arguments = map.block[i].arguments;
    const bool value = arguments.size() == 1 && !arguments[0].empty();
    if (!value ||
        std::find(result.known.begin(), result.known.end(), arguments[0]) != result.known.end()) {
      continue;
    }
    result.known.push_back(arguments[0]);
  }
  return result;
}

/// What was found, each once and under a name of its own.
class Collection {
 public:
  NginxUpstreams result;

  /// Of which upstream a target is.
  struct Group {
    std::string name;
    std::string host;
    std::string_view kind;  // how it is told from another where the host does not
  };

  bool full() const { return targets_.size() >= kMaxTargets; }

  void note(const NginxDirective& d, const std::string& what) {
    std::string line = place(d) + ": " + what;
    auto& notes = result.notes;
    if (noted_.size() >= kMaxNotes || !noted_.insert(line).second) return;
    notes.push_back(std::move(line));
    if (noted_.size() == kMaxNotes) notes.emplace_back("there is more to note, which is left out");
  }

  void add(const NginxDirective& pass, const Group& group, DiscoveredTarget target) {
    const std::size_t index = upstream(pass, group);
    auto& targets = result.upstreams[index].targets;
    const std::string label = target.url.substr(0, target.url.find('?'));
    const auto [known, fresh] =
        targets_.emplace(std::to_string(index) + '\n' + label, targets.size());
    if (fresh) {
      targets.push_back(std::move(target));
      if (full()) note(pass, "there are more targets than are probed; the rest is left out");
      return;
    }
    const DiscoveredTarget& first = targets[known->second];
    if (!same_question(first, target)) {
      note(pass, shown(label) + " is asked as " + first.origin + " says, not as here");
    }
  }

 private:
  static bool same_question(const DiscoveredTarget& a, const DiscoveredTarget& b) {
    return a.url == b.url && a.server_name == b.server_name && a.verify == b.verify &&
           a.ca_file == b.ca_file;
  }

  std::size_t upstream(const NginxDirective& pass, const Group& group) {
    const std::string key =
        group.name + '\n' + to_lower(group.host) + '\n' + std::string(group.kind);
    const auto [known, fresh] = groups_.emplace(key, result.upstreams.size());
    if (fresh) result.upstreams.push_back({name_of(group), {}, group.host, place(pass)});
    return known->second;
  }

  std::string name_of(const Group& group) {
    if (names_.insert(group.name).second) return group.name;
    const bool told_by_host = !group.host.empty() && !iequals(group.host, group.name);
    const std::string other =
        group.name + (told_by_host ? " for " + group.host : " by " + std::string(group.kind));
    std::string name = other;
    for (int i = 2; !names_.insert(name).second; ++i) {
      name = other + " (" + std::to_string(i) + ')';
    }
    return name;
  }

  std::set<std::string> noted_;
  std::set<std::string> names_;
  std::map<std::string, std::size_t> groups_;
  std::map<std::string, std::size_t> targets_;  // by upstream and label
};

/// One block, `http` or `stream`: upstreams and variables of the one are unknown to the other.
class Finder {
 public:
  Finder(const NginxDirective& block, const std::filesystem::path& root, Collection& found)
      : root_(root), found_(found), stream_(block.name == "stream") {
    for (const NginxDirective& d : block.block) {
      const bool named = !d.arguments.empty();
      if (d.name == "upstream" && named) blocks_[to_lower(d.arguments[0])] = &d;
      const bool map = d.name == "map" || d.name == "geo" || d.name == "split_clients";
      if (map && named) maps_[to_lower(d.arguments.back())] = &d;
    }
  }

  // The tree's depth is bounded by its reader.
  void walk(const NginxDirective& block, const NginxScope& scope) {
    for (const NginxDirective& d : block.block) {
      if (found_.full()) return;
      const NginxPass* pass = d.arguments.size() == 1 ? find_nginx_pass(d.name, stream_) : nullptr;
      if (pass != nullptr) take(d, *pass, scope);
      if (std::find(kBlocks.begin(), kBlocks.end(), d.name) != kBlocks.end()) {
        walk(d, NginxScope(d, scope));
      }
    }
  }

 private:
  /// What is asked of each server that one address stands for.
  struct Request {
    const NginxDirective& pass;
    NginxAddress address;
    NginxProtocol protocol;
    Collection::Group group;
    DiscoveredTarget target;  // all but the URL
  };

  std::optional<NginxValues> variable(std::string_view name, const NginxScope& scope) const {
    if (auto value = scope.variable(name)) return value;
    const auto map = maps_.find('$' + std::string(name));
    if (map != maps_.end()) return values_of(*map->second);
    const NginxSettings& settings = scope.settings();
    if (name == "scheme") {
      return NginxValues{{settings.schemes.begin(), settings.schemes.end()}, false};
    }
    if (name == "server_port") return NginxValues{{std::string(settings.port)}, false};
    if (name == "is_args" || name == "args" || name == "query_string") {
      return NginxValues{{""}, false};
    }
    if (name == "request_uri" || name == "uri" || name == "document_uri") {
      return NginxValues{{std::string("/") + kUnknown}, false};
    }
    return std::nullopt;
  }

  void take(const NginxDirective& d, const NginxPass& pass, const NginxScope& scope) {
    const std::string& text = d.arguments[0];
    if (text.size() > kMaxNginxWord) return note(d, "is too long to be an address");
    const NginxLookup variables = [&](std::string_view name) { return variable(name, scope); };
    const NginxValues values = expand_nginx(text, variables);
    for (const std::string& value : values.known) {
      const Result<NginxAddress> address = parse_nginx_address(value, pass);
      if (address) {
        take(d, *address, scope.settings(), variables);
      } else {
        note(d, address.error().message);
      }
    }
    if (values.more || values.known.empty()) note(d, "can be more than is known here");
  }

  void take(const NginxDirective& d, const NginxAddress& address, const NginxSettings& settings,
            const NginxLookup& variables) {
    if (stream_ && settings.udp) return note(d, "is reached by UDP, for which there is no probe");
    const NginxDirective* block = block_of(address);
    const bool no_port = address.port.empty() && address.default_port().empty();
    if (block == nullptr && no_port && !address.is_unix()) return note(d, "names no port");
    const Request request = request_for(d, address, settings, variables);
    if (!seen_.insert(identity(request)).second) return;
    if (block == nullptr) return add(request, address, address.default_port());
    add_servers(request, *block);
  }

  const NginxDirective* block_of(const NginxAddress& address) const {
    const auto block = blocks_.find(to_lower(address.host));
    return address.port.empty() && block != blocks_.end() ? block->second : nullptr;
  }

  Request request_for(const NginxDirective& d, const NginxAddress& address,
                      const NginxSettings& settings, const NginxLookup& variables) {
    Request request{d, address, address.protocol, {}, {}};
    request.target.origin = place(d);
    request.group.name = name_of(address);
    request.group.kind = stream_ ? "stream" : "tcp";
    const bool https = address.protocol == NginxProtocol::https;
    if (https && !settings.ssl_certificate.empty() && !address.is_unix()) {
      note(d, "is shown a certificate of nginx's, which no probe does: a connect is tried");
      request.protocol = NginxProtocol::connect;
    }
    if (request.protocol == NginxProtocol::connect) return request;
    request.group.kind = "http";
    request.group.host = told(d, nginx_host(settings, address, variables));
    if (!https) return request;
    DiscoveredTarget& target = request.target;
    target.server_name = told(d, nginx_server_name(settings, address, variables));
    target.verify = settings.ssl_verify && !target.server_name.empty();
    if (target.verify) target.ca_file = (root_ / settings.ssl_trusted_certificate).string();
    return request;
  }

  std::string name_of(const NginxAddress& address) const {
    if (const NginxDirective* block = block_of(address)) return block->arguments[0];
    if (address.is_unix()) return address.host;
    const std::string port(address.port.empty() ? address.default_port() : address.port);
    return to_lower(address.host) + ':' + port;
  }

  static std::string identity(const Request& r) {
    std::string result = r.group.name;
    const DiscoveredTarget& target = r.target;
    for (const std::string& part : {r.address.uri, r.group.host, std::string(r.group.kind),
                                    target.server_name, target.ca_file}) {
      result += '\n' + part;
    }
    return result + (r.address.protocol == NginxProtocol::https ? "\ns" : "\n") +
           (target.verify ? "v" : "");
  }

  void add_servers(const Request& request, const NginxDirective& block) {
    const std::string name = escape_line(block.arguments[0], 100);
    bool any = false;
    for (const NginxDirective& d : block.block) {
      if (d.name.starts_with("balancer_by_lua")) {
        return found_.note(d, "Lua chooses the servers of " + name + " at run time");
      }
    }
    for (const NginxDirective& d : block.block) {
      if (found_.full()) return;
      if (d.name != "server" || d.arguments.empty()) continue;
      any = true;
      add_server(request, d);
    }
    if (!any) found_.note(block, "upstream " + name + " names no server");
  }

  void add_server(const Request& request, const NginxDirective& server) {
    const auto& arguments = server.arguments;
    if (arguments[0].size() > kMaxNginxWord) return note(server, "is too long to be an address");
    if (has(server, "down")) return note(server, "is marked down");
    const bool srv = std::any_of(arguments.begin() + 1, arguments.end(), [](const auto& argument) {
      return argument.starts_with("service=");
    });
    if (srv) return note(server, "takes its port from DNS (service=), which is not asked");
    const Result<NginxAddress> address = parse_nginx_server(arguments[0]);
    if (!address) return note(server, address.error().message);
    const bool no_port = address->port.empty() && !address->is_unix();
    if (stream_ && no_port) return note(server, "names no port");
    add(request, *address, "80");  // whatever the scheme
  }

  void add(const Request& request, const NginxAddress& server, std::string_view port) {
    if (request.address.protocol == NginxProtocol::https && server.is_unix()) {
      return note(request.pass, "is TLS over a Unix socket, for which there is no probe");
    }
    DiscoveredTarget target = request.target;
    target.url = nginx_url(server, request.protocol, port, request.address.uri);
    found_.add(request.pass, request.group, std::move(target));
  }

  std::string told(const NginxDirective& d, const NginxName& name) {
    if (!name.problem.empty()) note(d, name.problem);
    return name.text;
  }

  /// "proxy_pass http://a is ..."
  void note(const NginxDirective& d, const std::string& what) {
    found_.note(d, d.name + ' ' + shown(d.arguments[0]) + ' ' + what);
  }

  const std::filesystem::path& root_;
  Collection& found_;
  bool stream_;
  std::map<std::string, const NginxDirective*> blocks_;  // by name in lower case
  std::map<std::string, const NginxDirective*> maps_;    // by "$name" in lower case
  std::set<std::string> seen_;
};

}  // namespace

NginxUpstreams nginx_upstreams(const NginxConfig& config) {
  Collection found;
  found.result.notes = config.problems;
  for (const NginxDirective& block : config.directives) {
    if (block.name != "http" && block.name != "stream") continue;
    Finder(block, config.root, found).walk(block, NginxScope(block, NginxScope()));
  }
  return std::move(found.result);
}

}  // namespace ua
