// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_scope.h"

#include <algorithm>
#include <cctype>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxValues = 16;
constexpr int kMaxLookups = 32;  // for one text

struct Reference {
  std::string name;     // in lower case
  std::size_t end = 0;  // in the text
};

/// What the '$' at `dollar` begins: `$name`, `${name}`, or a capture, which has one digit.
Reference reference_at(const std::string& text, std::size_t dollar) {
  const bool braces = text.compare(dollar + 1, 1, "{") == 0;
  const std::size_t begin = dollar + (braces ? 2 : 1);
  std::size_t end = begin;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
    ++end;
  }
  const bool capture = end > begin && std::isdigit(static_cast<unsigned char>(text[begin])) != 0;
  if (capture && !braces) end = begin + 1;
  const bool closed = braces && text.compare(end, 1, "}") == 0;
  return {to_lower(text.substr(begin, end - begin)), end + (closed ? 1 : 0)};
}

/// @param more set where there is no room for it
void add_value(std::vector<std::string>& to, std::string one, bool& more) {
  const bool room = one.size() <= kMaxNginxWord && to.size() < kMaxValues;
  if (room) to.push_back(std::move(one));
  more = more || !room;
}

bool is_on(const NginxDirective& d) { return !d.arguments.empty() && d.arguments[0] == "on"; }

bool has(const NginxDirective& d, std::string_view word) {
  return std::find(d.arguments.begin(), d.arguments.end(), word) != d.arguments.end();
}

/// Of `listen`: "8080", "*:8080", "[::]:8080", "127.0.0.1"; empty for a Unix socket.
std::string_view port_of(std::string_view address) {
  if (address.starts_with("unix:")) return {};
  const std::size_t colon = address.rfind(':');
  const bool bare = colon == std::string_view::npos;
  const std::string_view port = bare ? address : address.substr(colon + 1);
  if (port.find_first_not_of("0123456789") == std::string_view::npos) return port;
  const bool range = port.find_first_not_of("0123456789-") == std::string_view::npos;
  return range ? kUnknownText : "80";
}

}  // namespace

NginxValues expand_nginx(std::string_view text, const NginxLookup& lookup) {
  NginxValues result;
  std::vector<std::string> pending{std::string(text)};  // the next one last
  int lookups = 0;
  while (!pending.empty()) {
    const std::string one = std::move(pending.back());
    pending.pop_back();
    const std::size_t dollar = one.find('$');
    const bool seen =
        std::find(result.known.begin(), result.known.end(), one) != result.known.end();
    if (dollar == std::string::npos) {
      if (!seen) add_value(result.known, one, result.more);
      continue;
    }
    if (++lookups > kMaxLookups) {
      result.more = true;
      break;
    }
    const Reference reference = reference_at(one, dollar);
    const NginxValues values =
        lookup(reference.name).value_or(NginxValues{{std::string(kUnknownText)}, false});
    result.more = result.more || values.more;
    for (auto value = values.known.rbegin(); value != values.known.rend(); ++value) {
      add_value(pending, one.substr(0, dollar) + *value + one.substr(reference.end), result.more);
    }
  }
  return result;
}

bool is_own_resolver(const NginxDirective& resolver) {
  return std::any_of(resolver.arguments.begin(), resolver.arguments.end(), [](std::string_view a) {
    const bool loopback =
        a.starts_with("127.") || a.starts_with("[::1]") || a.starts_with("localhost");
    return loopback && a != "127.0.0.53" && a != "127.0.0.53:53";  // systemd's, the host's own
  });
}

NginxScope::NginxScope(const NginxDirective& block, const NginxScope& outer)
    : settings_(outer.settings_), is_location_(block.name == "location"), outer_(&outer) {
  if (block.name == "server") read_listens(block);
  for (const NginxDirective& directive : block.block) read(directive);
}

void NginxScope::read(const NginxDirective& d) {
  if (d.name == "set") read_set(d, true);
  if (d.name == "if") {
    for (const NginxDirective& inner : d.block) {
      if (inner.name == "set") read_set(inner, false);
    }
  }
  if (d.name == "proxy_set_header") read_header(d);
  if (d.name.starts_with("proxy_ssl_")) read_ssl(d);
  if (d.name == "server_name") read_names(d.arguments);
  if (d.name == "resolver") settings_.own_resolver = is_own_resolver(d);
}

void NginxScope::read_header(const NginxDirective& d) {
  if (d.arguments.size() != 2) return;
  // One in this block replaces all that is inherited.
  if (!own_headers_) settings_.host.reset();
  own_headers_ = true;
  if (iequals(d.arguments[0], "host")) settings_.host = d.arguments[1];
}

void NginxScope::read_ssl(const NginxDirective& d) {
  if (d.arguments.size() != 1) return;
  if (d.name == "proxy_ssl_server_name") settings_.ssl_server_name = is_on(d);
  if (d.name == "proxy_ssl_name") settings_.ssl_name = d.arguments[0];
  if (d.name == "proxy_ssl_verify") settings_.ssl_verify = is_on(d);
  if (d.name == "proxy_ssl_trusted_certificate") settings_.ssl_trusted_certificate = d.arguments[0];
  if (d.name == "proxy_ssl_certificate") settings_.ssl_certificate = d.arguments[0];
}

void NginxScope::read_names(const std::vector<std::string>& names) {
  const auto without_dot = [](std::string_view name) {
    return name.starts_with('.') ? name.substr(1) : name;
  };
  if (names.empty()) return;
  if (settings_.server_name.empty()) settings_.server_name = without_dot(names[0]);
  const auto plain = std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return !name.empty() && name != "_" && name.find_first_of("*~$") == std::string::npos;
  });
  if (plain != names.end() && settings_.plain_name.empty()) {
    settings_.plain_name = without_dot(*plain);
  }
}

void NginxScope::read_listens(const NginxDirective& server) {
  bool first = true;
  for (const NginxDirective& d : server.block) {
    if (d.name != "listen" || d.arguments.empty()) continue;
    const bool udp = has(d, "udp");
    const std::string_view scheme = has(d, "ssl") || has(d, "quic") ? "https" : "http";
    if (first) {
      settings_.port = port_of(d.arguments[0]);
      settings_.schemes = {scheme};
      settings_.udp = udp;
    }
    if (scheme != settings_.schemes[0] && settings_.schemes.size() < 2) {
      settings_.schemes.push_back(scheme);
    }
    settings_.udp = settings_.udp && udp;
    first = false;
  }
}

void NginxScope::read_set(const NginxDirective& d, bool always) {
  if (d.arguments.size() != 2 || !d.arguments[0].starts_with('$')) return;
  Variable& variable = variables_[to_lower(d.arguments[0].substr(1))];
  if (always) variable.values.clear();
  variable.always = variable.always || always;
  variable.values.emplace_back(d.arguments[1]);
}

/// `set` runs in the server and in the innermost location, not in the locations between.
const NginxScope* NginxScope::next() const {
  const NginxScope* scope = outer_;
  while (is_location_ && scope != nullptr && scope->is_location_) scope = scope->outer_;
  return scope;
}

std::optional<NginxValues> NginxScope::variable(std::string_view lower_name) const {
  NginxValues result;
  bool found = false;
  for (const NginxScope* scope = this; scope != nullptr; scope = scope->next()) {
    const auto variable = scope->variables_.find(lower_name);
    if (variable == scope->variables_.end()) continue;
    found = true;
    const auto& values = variable->second.values;
    result.known.insert(result.known.begin(), values.begin(),
                        values.begin() + std::min<std::ptrdiff_t>(std::ssize(values), kMaxValues));
    result.more = result.more || values.size() > kMaxValues;
    if (variable->second.always) break;
  }
  return found ? std::optional(result) : std::nullopt;
}

}  // namespace ua
