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
#include "collectors/discovery/nginx_map.h"
#include "collectors/discovery/nginx_names.h"
#include "collectors/discovery/nginx_scope.h"

namespace ua {
namespace {

constexpr std::size_t kMaxTargets = 20'000;
constexpr std::size_t kMaxTried = 100'000;  // those too that are left out
constexpr std::size_t kMaxQuestions = 32;   // at one server
constexpr std::size_t kMaxName = 256;       // a host name and a port
// Their proxy_pass is a directive; in a `map` or in `types` it would be a value.
constexpr std::array<std::string_view, 4> kBlocks{"server", "location", "if", "limit_except"};

constexpr std::string_view kOwnResolver =
    "has a name that a resolver of nginx's own knows, which no probe asks";

std::string place(const NginxDirective& directive) {
  return directive.file + ':' + std::to_string(directive.line);
}

/// Notes are shown on the status page and in logs.
std::string shown(std::string_view address) { return escape_line(without_secrets(address), 100); }

bool has(const NginxDirective& d, std::string_view word) {
  return std::find(d.arguments.begin(), d.arguments.end(), word) != d.arguments.end();
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

  bool full() const { return targets_.size() >= kMaxTargets || tried_ >= kMaxTried; }

  void note(const NginxDirective& d, const std::string& what) {
    add_nginx_note(result.notes, place(d), what);
  }

  /// @return false: its server is asked enough already
  bool add(const NginxDirective& pass, const Group& group, DiscoveredTarget target) {
    if (++tried_ == kMaxTried) too_many(pass);
    const std::string label = target.url.substr(0, target.url.find('?'));
    const auto [known, fresh] = targets_.emplace(key(group) + '\n' + label, Place{});
    if (!fresh) {
      compare(pass, known->second, target, label);
      return true;
    }
    // An application is not to be hammered because many names or paths lead to it.
    if (++questions_[target.server] > kMaxQuestions) {
      targets_.erase(known);
      return false;
    }
    known->second = {upstream(pass, group), 0};
    auto& targets = result.upstreams[known->second.upstream].targets;
    known->second.target = targets.size();
    targets.push_back(std::move(target));
    if (targets_.size() == kMaxTargets) too_many(pass);
    return true;
  }

 private:
  struct Place {
    std::size_t upstream = 0;
    std::size_t target = 0;
  };

  void too_many(const NginxDirective& pass) {
    note(pass, "there are more targets than are probed; the rest is left out");
  }

  void compare(const NginxDirective& pass, const Place& known, const DiscoveredTarget& target,
               const std::string& label) {
    const DiscoveredTarget& first = result.upstreams[known.upstream].targets[known.target];
    if (same_question(first, target)) return;
    note(pass, shown(label) + " is asked as " + first.origin + " says, not as here");
  }

  static std::string key(const Group& group) {
    return group.name + '\n' + to_lower(group.host) + '\n' + std::string(group.kind);
  }

  static bool same_question(const DiscoveredTarget& a, const DiscoveredTarget& b) {
    return a.url == b.url && a.server_name == b.server_name && a.verify == b.verify &&
           a.ca_file == b.ca_file;
  }

  std::size_t upstream(const NginxDirective& pass, const Group& group) {
    const auto [known, fresh] = groups_.emplace(key(group), result.upstreams.size());
    if (fresh) result.upstreams.push_back({name_of(group), {}, group.host, place(pass)});
    return known->second;
  }

  std::string name_of(const Group& group) {
    std::string own = escape_line(group.name, kMaxName);
    if (names_.insert(own).second) return own;
    const bool told_by_host = !group.host.empty() && !iequals(group.host, group.name);
    const std::string other =
        own + (told_by_host ? " for " + group.host : " by " + std::string(group.kind));
    std::string name = other;
    for (int i = 2; !names_.insert(name).second; ++i) {
      name = other + " (" + std::to_string(i) + ')';
    }
    return name;
  }

  std::size_t tried_ = 0;
  std::map<std::string, std::size_t> questions_;  // by server
  std::set<std::string> names_;
  std::map<std::string, std::size_t> groups_;
  std::map<std::string, Place> targets_;  // by upstream and label
};

/// One block, `http` or `stream`: upstreams and variables of the one are unknown to the other.
class Finder {
 public:
  Finder(const NginxDirective& block, const std::filesystem::path& root, Collection& found)
      : root_(root), found_(found), stream_(block.name == "stream") {
    for (const NginxDirective& d : block.block) {
      const bool named = !d.arguments.empty();
      if (d.name == "upstream" && named) blocks_[to_lower(d.arguments[0])] = &d;
      if (is_nginx_map(d) && named) maps_[to_lower(d.arguments.back())] = &d;
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
    bool own_resolver = false;
  };

  /// @param to where the request goes, once that is known
  std::optional<NginxValues> variable(std::string_view name, const NginxScope& scope,
                                      const NginxAddress* to) const {
    const NginxSettings& settings = scope.settings();
    const auto built_in = [&](std::string_view of) {
      return to == nullptr ? std::nullopt : nginx_built_in(to_lower(of), settings, *to);
    };
    if (auto value = built_in(name)) return NginxValues{{std::move(*value)}, false};
    if (auto value = scope.variable(name)) return value;
    const auto map = maps_.find('$' + std::string(name));
    if (map != maps_.end()) {
      return nginx_map_values(*map->second, built_in(nginx_map_source(*map->second)));
    }
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
    const NginxValues values =
        expand_nginx(text, [&](std::string_view name) { return variable(name, scope, nullptr); });
    for (const std::string& value : values.known) {
      const Result<NginxAddress> address = parse_nginx_address(value, pass);
      if (address) {
        take(d, *address, scope);
      } else {
        note(d, address.error().message);
      }
    }
    if (values.more || values.known.empty()) note(d, "can be more than is known here");
  }

  void take(const NginxDirective& d, const NginxAddress& address, const NginxScope& scope) {
    if (stream_ && scope.settings().udp)
      return note(d, "is reached by UDP, for which there is no probe");
    const NginxDirective* block = block_of(address);
    const bool no_port = address.port.empty() && address.default_port().empty();
    if (block == nullptr && no_port && !address.is_unix()) return note(d, "names no port");
    const bool at_run_time = d.arguments[0].find('$') != std::string::npos;
    if (block == nullptr && at_run_time && address.is_name() && scope.settings().own_resolver) {
      return note(d, std::string(kOwnResolver));
    }
    const Request request = request_for(d, address, scope);
    if (!seen_.insert(identity(request)).second) return;
    if (block == nullptr) return add(request, address, address.default_port());
    add_servers(request, *block);
  }

  const NginxDirective* block_of(const NginxAddress& address) const {
    const auto block = blocks_.find(to_lower(address.host));
    return address.port.empty() && block != blocks_.end() ? block->second : nullptr;
  }

  Request request_for(const NginxDirective& d, const NginxAddress& address,
                      const NginxScope& scope) {
    const NginxSettings& settings = scope.settings();
    const NginxLookup variables = [&](std::string_view name) {
      return variable(name, scope, &address);
    };
    Request request{d, address, address.protocol, {}, {}};
    request.own_resolver = settings.own_resolver;
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
    bool own_resolver = request.own_resolver;
    for (const NginxDirective& d : block.block) {
      if (d.name == "resolver") own_resolver = is_own_resolver(d);
    }
    for (const NginxDirective& d : block.block) {
      if (found_.full()) return;
      if (d.name != "server" || d.arguments.empty()) continue;
      any = true;
      add_server(request, d, own_resolver);
    }
    if (!any) found_.note(block, "upstream " + name + " names no server");
  }

  void add_server(const Request& request, const NginxDirective& server, bool own_resolver) {
    const auto& arguments = server.arguments;
    if (arguments[0].size() > kMaxNginxWord) return note(server, "is too long to be an address");
    if (has(server, "down")) return note(server, "is marked down");
    const bool srv = std::any_of(arguments.begin() + 1, arguments.end(), [](const auto& argument) {
      return argument.starts_with("service=");
    });
    if (srv) return note(server, "takes its port from DNS (service=), which is not asked");
    const Result<NginxAddress> address = parse_nginx_server(arguments[0]);
    if (!address) return note(server, address.error().message);
    if (own_resolver && has(server, "resolve") && address->is_name()) {
      return note(server, std::string(kOwnResolver));
    }
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
    target.server = nginx_url(server, NginxProtocol::connect, port, {});
    if (found_.add(request.pass, request.group, std::move(target))) return;
    note(request.pass, "is left out at servers that are asked for " +
                           std::to_string(kMaxQuestions) + " names and paths already");
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
  for (const NginxDirective& block : config.directives) {
    if (block.name != "http" && block.name != "stream") continue;
    Finder(block, config.root, found).walk(block, NginxScope(block, NginxScope()));
  }
  auto& notes = found.result.notes;
  notes.insert(notes.begin(), config.problems.begin(), config.problems.end());
  return std::move(found.result);
}

}  // namespace ua
