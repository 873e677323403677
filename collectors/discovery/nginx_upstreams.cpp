// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_upstreams.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxUpstreams = 10'000;
constexpr std::size_t kMaxTargets = 20'000;
constexpr std::size_t kMaxWord = 1024;  // of a proxy_pass, a server or a variable filled in

/// What a block inherits from the blocks around it. Its texts are the tree's.
struct Settings {
  std::optional<std::string_view> host;  // proxy_set_header Host
  bool ssl_server_name = false;
  std::optional<std::string_view> ssl_name;
  bool ssl_verify = false;
  std::string_view server_name;  // the first plain one
};

/// A block's own variables are few or many, but are never copied into the blocks within.
struct Scope {
  Settings settings;
  const Scope* outer = nullptr;
  std::map<std::string_view, std::string_view> variables = {};  // set $name value;

  std::optional<std::string_view> variable(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
      const auto found = scope->variables.find(name);
      if (found != scope->variables.end()) return found->second;
    }
    return std::nullopt;
  }
};

struct Pass {
  std::string_view directive;
  std::string_view scheme;  // ours, for an address without one
};
// What has no probe of its own yet is connected to.
constexpr std::array<Pass, 5> kPasses{{{"proxy_pass", "http"},
                                       {"fastcgi_pass", "tcp"},
                                       {"uwsgi_pass", "tcp"},
                                       {"scgi_pass", "tcp"},
                                       {"grpc_pass", "tcp"}}};

std::string place(const NginxDirective& directive) {
  return directive.file + ':' + std::to_string(directive.line);
}

/// Notes are shown on the status page and in logs.
std::string shown(std::string_view address) { return escape_line(without_secrets(address), 100); }

class Finder {
 public:
  NginxUpstreams result;

  // The tree's depth is bounded by its reader.
  void collect_blocks(const std::vector<NginxDirective>& directives) {
    for (const NginxDirective& directive : directives) {
      if (directive.name == "upstream" && directive.arguments.size() == 1) {
        blocks_[directive.arguments[0]] = &directive;
      } else {
        collect_blocks(directive.block);
      }
    }
  }

  void walk(const std::vector<NginxDirective>& directives, const Scope& outer, bool stream) {
    Scope scope{outer.settings, &outer};
    bool own_headers = false;
    for (const NginxDirective& d : directives) read_setting(d, scope, own_headers);
    for (const NginxDirective& d : directives) {
      if (result.upstreams.size() >= kMaxUpstreams) return;
      if (d.name == "upstream") continue;
      for (const Pass& pass : kPasses) {
        if (d.name == pass.directive && d.arguments.size() == 1) found(d, pass, scope, stream);
      }
      if (!d.block.empty()) walk(d.block, scope, stream || d.name == "stream");
    }
  }

 private:
  static bool is_on(const NginxDirective& d) {
    return !d.arguments.empty() && d.arguments[0] == "on";
  }

  static void read_setting(const NginxDirective& d, Scope& scope, bool& own_headers) {
    const auto& args = d.arguments;
    Settings& settings = scope.settings;
    if (d.name == "set" && args.size() == 2) scope.variables[args[0]] = args[1];
    if (d.name == "proxy_set_header" && args.size() == 2) {
      // One in this block replaces all that is inherited.
      if (!own_headers) settings.host.reset();
      own_headers = true;
      if (iequals(args[0], "host")) settings.host = args[1];
    }
    if (d.name == "proxy_ssl_server_name") settings.ssl_server_name = is_on(d);
    if (d.name == "proxy_ssl_name" && args.size() == 1) settings.ssl_name = args[0];
    if (d.name == "proxy_ssl_verify") settings.ssl_verify = is_on(d);
    if (d.name == "server_name") settings.server_name = plain_name(args);
  }

  /// The first name that is no pattern; empty where there is none.
  static std::string_view plain_name(const std::vector<std::string>& names) {
    const auto plain = std::find_if(names.begin(), names.end(), [](const std::string& name) {
      return !name.empty() && name != "_" && name.find_first_of("*~$") == std::string::npos;
    });
    return plain == names.end() ? std::string_view() : *plain;
  }

  /// Where the variable's name that begins there ends.
  static std::size_t end_of_name(const std::string& text, std::size_t begin) {
    const auto end =
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(),
                         [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    return static_cast<std::size_t>(end - text.begin());
  }

  static std::optional<std::string> substitute(std::string text, const Scope& scope) {
    for (int round = 0; round < 8; ++round) {
      const std::size_t dollar = text.find('$');
      if (dollar == std::string::npos) return text;
      const bool braces = dollar + 1 < text.size() && text[dollar + 1] == '{';
      const std::size_t begin = dollar + (braces ? 2 : 1);
      const std::size_t end = end_of_name(text, begin);
      const auto value = scope.variable('$' + text.substr(begin, end - begin));
      if (!value || value->size() > kMaxWord) return std::nullopt;
      text.replace(dollar, end - dollar + (braces ? 1 : 0), *value);
      if (text.size() > kMaxWord) return std::nullopt;
    }
    return std::nullopt;
  }

  void found(const NginxDirective& d, const Pass& pass, const Scope& scope, bool stream) {
    if (d.arguments[0].size() > kMaxWord) return note(d, d.name + " is too long to be an address");
    const auto value = substitute(d.arguments[0], scope);
    if (!value) {
      note(d, d.name + " " + shown(d.arguments[0]) +
                  " holds a variable that is known at run time only");
      return;
    }
    std::string scheme(stream ? "tcp" : pass.scheme);
    std::string rest = *value;
    if (const std::size_t mark = rest.find("://"); mark != std::string::npos) {
      if (scheme == "http") scheme = to_lower(rest.substr(0, mark));
      rest = rest.substr(mark + 3);
    }
    if (scheme != "http" && scheme != "https" && scheme != "tcp") {
      note(d, d.name + " " + shown(*value) + ": the scheme is unknown");
      return;
    }
    const std::string uri = take_uri(rest, scheme == "tcp");
    add(d, scheme, rest, uri.empty() ? "/" : uri, scope);
  }

  /// Takes what follows the address off its end: "/path", behind a socket ":/path"; empty for none.
  static std::string take_uri(std::string& rest, bool tcp) {
    const bool unix_socket = rest.starts_with("unix:");
    if (tcp && !unix_socket) return {};
    const std::size_t end = unix_socket ? rest.find(':', 5) : rest.find('/');
    if (end == std::string::npos) return {};
    std::string uri = rest.substr(end + (unix_socket ? 1 : 0));
    rest.resize(end);
    return uri;
  }

  void add(const NginxDirective& d, const std::string& scheme, const std::string& name,
           const std::string& uri, const Scope& scope) {
    if (name.empty()) return note(d, d.name + " names no host");
    DiscoveredUpstream upstream;
    upstream.name = name;
    upstream.origin = place(d);
    if (scheme != "tcp") {
      const Settings& settings = scope.settings;
      upstream.host = usable(d, host_header(scope, name));
      if (settings.ssl_server_name) {
        upstream.server_name = usable(d, plain_or(settings.ssl_name, scope, name));
      }
      upstream.verify = settings.ssl_verify;
    }
    // Before the targets are made: a file may pass to the same many servers many times.
    const std::string identity = scheme + '\n' + name + '\n' + uri + '\n' + upstream.host;
    if (!seen_.insert(identity).second || targets_ > kMaxTargets) return;
    const auto block = blocks_.find(name);
    upstream.targets = block == blocks_.end() ? std::vector{url(scheme, name, uri)}
                                              : servers_of(*block->second, scheme, uri);
    targets_ += upstream.targets.size();
    if (targets_ > kMaxTargets) return note(d, d.name + ": more servers than are read");
    if (!upstream.targets.empty()) result.upstreams.push_back(std::move(upstream));
  }

  /// Those of an upstream block, as URLs; at most as many as are read, and one.
  std::vector<std::string> servers_of(const NginxDirective& block, const std::string& scheme,
                                      const std::string& uri) {
    std::vector<std::string> urls;
    for (const NginxDirective& server : block.block) {
      if (urls.size() > kMaxTargets) break;
      if (server.name != "server" || server.arguments.empty()) continue;
      const auto& args = server.arguments;
      if (args[0].size() > kMaxWord) {
        note(server, "server is too long to be an address");
      } else if (std::find(args.begin(), args.end(), "down") != args.end()) {
        note(server, shown(args[0]) + " is marked down");
      } else {
        urls.push_back(url(scheme, args[0], uri));
      }
    }
    return urls;
  }

  /// What a Host header and a server name can be; empty, for the target's own, where it is not one.
  std::string usable(const NginxDirective& d, std::string host) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    constexpr std::size_t kMaxHost = 260;  // a name and a port
    if (host.size() <= kMaxHost && host.find_first_not_of(kPlain) == std::string::npos) return host;
    note(d, '\'' + shown(host) + "' is no host name; the target's own is sent");
    return {};
  }

  static std::string url(const std::string& scheme, const std::string& address,
                         const std::string& uri) {
    if (address.starts_with("unix:")) {
      const std::string path = address.substr(5);
      return scheme == "tcp" ? "tcp+unix://" + path : "http+unix://" + path + ':' + uri;
    }
    const std::size_t bracket = address.rfind(']');
    const std::size_t colon = address.rfind(':');
    const bool has_port =
        colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
    const std::string port = has_port ? "" : (scheme == "https" ? ":443" : ":80");
    return scheme + "://" + address + port + (scheme == "tcp" ? "" : uri);
  }

  static std::string without_port(const std::string& host) {
    return host.starts_with('[') ? host : host.substr(0, host.find(':'));
  }

  static std::string plain_or(const std::optional<std::string_view>& value, const Scope& scope,
                              const std::string& name) {
    const std::string_view server_name = scope.settings.server_name;
    if (!value || *value == "$proxy_host") return without_port(name);
    if (*value == "$host" || *value == "$http_host" || *value == "$server_name") {
      return server_name.empty() ? without_port(name) : std::string(server_name);
    }
    if (value->size() > kMaxWord) return without_port(name);
    return substitute(std::string(*value), scope).value_or(without_port(name));
  }

  static std::string host_header(const Scope& scope, const std::string& name) {
    const auto& host = scope.settings.host;
    if (!host || *host == "$proxy_host") {
      return name.starts_with("unix:") ? "localhost" : name;
    }
    return plain_or(host, scope, name);
  }

  void note(const NginxDirective& d, const std::string& what) {
    if (result.notes.size() < 100) result.notes.push_back(place(d) + ": " + what);
  }

  std::map<std::string, const NginxDirective*> blocks_;
  std::set<std::string> seen_;
  std::size_t targets_ = 0;
};

}  // namespace

NginxUpstreams nginx_upstreams(const NginxConfig& config) {
  Finder finder;
  finder.result.notes = config.problems;
  finder.collect_blocks(config.directives);
  finder.walk(config.directives, Scope{}, false);
  return std::move(finder.result);
}

}  // namespace ua
