// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_names.h"

#include <utility>

#include "collectors/core/text.h"

namespace ua {
namespace {

/// What a Host header and a server name can be. $server_name may be a wildcard.
bool is_usable(std::string_view name) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]*";
  constexpr std::size_t kMaxHost = 260;  // a name and a port
  return name.size() <= kMaxHost && name.find_first_not_of(kPlain) == std::string_view::npos;
}

std::string without_port(std::string_view name) {
  const std::size_t bracket = name.find(']');
  return std::string(
      name.substr(0, name.find(':', bracket == std::string_view::npos ? 0 : bracket)));
}

/// What the client asked for, as far as the configuration says: the server's name. A server without
/// one answers to any; what nginx sends by default stands for it.
std::string visitor(const NginxSettings& settings, const NginxAddress& address) {
  if (!settings.plain_name.empty()) return to_lower(settings.plain_name);
  return without_port(address.proxy_host());
}

std::string http_host(const NginxSettings& settings, const NginxAddress& address) {
  const std::string_view usual = settings.schemes[0] == "https" ? "443" : "80";
  const bool shown = !settings.port.empty() && settings.port != usual;
  return visitor(settings, address) + (shown ? ':' + std::string(settings.port) : "");
}

/// `text` with its variables filled in, or the reason why that cannot be.
NginxName filled_in(std::string_view text, const NginxLookup& variables) {
  const NginxValues values = expand_nginx(text, variables);
  const bool known = !values.known.empty() && values.known[0].find(kUnknown) == std::string::npos;
  const std::string shown = '\'' + escape_line(without_secrets(text), 100) + '\'';
  if (!known) return {"", shown + " is known at run time only"};
  if (!is_usable(values.known[0])) return {"", shown + " is no host name"};
  const bool sure = values.known.size() == 1 && !values.more;
  return {values.known[0], sure ? "" : shown + " may be another name too"};
}

}  // namespace

std::optional<std::string> nginx_built_in(std::string_view name, const NginxSettings& settings,
                                          const NginxAddress& address) {
  if (name == "host") return visitor(settings, address);
  if (name == "http_host") return http_host(settings, address);
  if (name == "server_name") return to_lower(settings.server_name);
  if (name == "server_port") return std::string(settings.port);
  if (name == "scheme") return std::string(settings.schemes[0]);
  if (name == "proxy_host") return address.proxy_host();
  if (name == "proxy_port" && address.is_unix()) return "";
  if (name == "proxy_port") {
    return address.port.empty() ? std::string(address.default_port()) : address.port;
  }
  return std::nullopt;
}

NginxName nginx_host(const NginxSettings& settings, const NginxAddress& address,
                     const NginxLookup& variables) {
  const std::string usual = address.proxy_host();
  if (!settings.host) {
    if (is_usable(usual)) return {usual, ""};
    return {"localhost", "the address is no host name; localhost is sent"};
  }
  NginxName result = filled_in(*settings.host, variables);
  if (result.text.empty()) {
    if (result.problem.empty()) result.problem = "nginx sends no Host";
    result.text = is_usable(usual) ? usual : "localhost";
  }
  if (!result.problem.empty()) result.problem += "; " + result.text + " is sent";
  return result;
}

NginxName nginx_server_name(const NginxSettings& settings, const NginxAddress& address,
                            const NginxLookup& variables) {
  if (!settings.ssl_server_name && !settings.ssl_verify) return {};
  NginxName result = settings.ssl_name ? filled_in(*settings.ssl_name, variables)
                                       : NginxName{to_lower(address.host), ""};
  result.text = without_port(result.text);
  if (!settings.ssl_verify && is_ip_literal(result.text)) result.text.clear();
  if (!result.problem.empty()) {
    const std::string none = settings.ssl_verify ? "nothing is verified" : "none is sent";
    result.problem = "the server name " + result.problem + "; " +
                     (result.text.empty() ? none : result.text + " is sent");
  } else if (!settings.ssl_server_name && !is_ip_literal(result.text)) {
    result.problem =
        "the server name " + result.text + " is verified, and is sent, which nginx does not";
  }
  return result;
}

}  // namespace ua
