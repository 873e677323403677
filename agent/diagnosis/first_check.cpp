// SPDX-License-Identifier: Apache-2.0
#include "agent/diagnosis/first_check.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "collectors/core/shell_quote.h"
#include "collectors/probes/tls/starttls.h"

namespace ua {
namespace {

using Replacements = std::vector<std::pair<std::string_view, std::string>>;

/// One pass, so that what was filled in is never filled again.
std::string replace_all(std::string_view text, const Replacements& replacements) {
  std::string result;
  while (!text.empty()) {
    const auto hit = std::find_if(replacements.begin(), replacements.end(),
                                  [&](const auto& pair) { return text.starts_with(pair.first); });
    if (hit == replacements.end()) {
      result += text.front();
      text.remove_prefix(1);
    } else {
      result += hit->second;
      text.remove_prefix(hit->first.size());
    }
  }
  return result;
}

bool mentions(std::string_view part, std::string_view placeholder) {
  return part.find(placeholder) != std::string_view::npos;
}

/// What stands between "; ".
std::vector<std::string_view> split_parts(std::string_view command) {
  std::vector<std::string_view> parts;
  while (!command.empty()) {
    const std::size_t end = std::min(command.find("; "), command.size());
    parts.push_back(command.substr(0, end));
    command.remove_prefix(std::min(end + 2, command.size()));
  }
  return parts;
}

/// The parts between "; " that apply to this kind of target; all of them where none does.
std::string applicable(std::string_view command, bool unix_socket) {
  std::string kept;
  for (const std::string_view part : split_parts(command)) {
    const bool about_network =
        mentions(part, "{host}") || mentions(part, "{port}") || mentions(part, "{ip}");
    if (unix_socket ? about_network : mentions(part, "{path}")) continue;
    kept += (kept.empty() ? "" : "; ") + std::string(part);
  }
  return kept.empty() ? std::string(command) : kept;
}

/// For a target that curl cannot ask: the agent itself shows what is said.
std::string without_curl(std::string_view command) {
  std::string result;
  bool shown = false;
  for (const std::string_view part : split_parts(command)) {
    const bool asks = part.starts_with("curl ");
    if (asks && shown) continue;
    shown = shown || asks;
    result += result.empty() ? "" : "; ";
    result += asks ? "upstream-agent probe -v {probe}" : part;
  }
  return result;
}

const std::string kLocalhost = "localhost";

/// "192.0.2.1:80" and "[2001:db8::1]:80" without port and brackets; empty for a socket's path.
std::string ip_of(std::string_view address) {
  if (address.starts_with('[')) return std::string(address.substr(1, address.find(']') - 1));
  const std::size_t colon = address.rfind(':');
  return std::string(colon == std::string_view::npos ? "" : address.substr(0, colon));
}

std::string command_for_unix(std::string_view template_text, const Target& target) {
  // ss and curl have ways of their own to say which socket.
  std::string command =
      replace_all(template_text, {{"ss -ltnp 'sport = :{port}'", "ss -lxp src {path}"},
                                  {"ss -ltn 'sport = :{port}'", "ss -lx src {path}"}});
  if (mentions(command, "curl ")) {
    const std::string socket = "--unix-socket {path} ";
    command = replace_all(
        command, {{"{url}", socket + shell_quote("http://localhost" +
                                                 target.path.substr(0, target.path.find('?')))},
                  {"http://{host}:{port}/", socket + "http://localhost/"},
                  {"https://{host}:{port}/", socket + "https://localhost/"}});
  }
  return applicable(command, true);
}

std::string flag(std::string_view name, const std::string& value) {
  return value.empty() ? "" : std::string(name) + ' ' + shell_quote(value) + ' ';
}

/// For tools that connect: through the probe's proxy, from its address, over its interface.
Replacements way_of(const Outcome& outcome, const ProbeWay& way, const ToolFlags& flags,
                    const std::string& ip) {
  const SocketOptions* socket = way.socket;
  const std::string source = socket != nullptr && socket->source ? socket->source->ip() : "";
  const std::string interface = socket != nullptr ? socket->interface : "";
  const std::string& either = source.empty() ? interface : source;  // what one flag can say
  const auto proxy = parse_target(outcome.proxy);
  const bool proxied = proxy && !outcome.proxy_failed;
  const bool line = socket != nullptr && socket->proxy_protocol;
  return {
      {"curl ", "curl " + flag("-x", proxied ? outcome.proxy : "") + flag("--interface", either) +
                    (line ? "--haproxy-protocol " : "") + flags.curl},
      {"openssl s_client ",
       "openssl s_client " + flag("-starttls", std::string(starttls_of(outcome.detail))) +
           flag("-proxy", proxied ? proxy->authority() : "") +
           flag("-bind", source.empty() ? "" : socket->source->text()) + flags.openssl},
      {"ping ", "ping " + flag("-I", either)},
      {"traceroute ", "traceroute " + flag("-s", source) + flag("-i", interface)},
      {"ip route get {ip}", "ip route get " + shell_quote(ip) +
                                (source.empty() ? "" : " from " + shell_quote(source)) +
                                (interface.empty() ? "" : " oif " + shell_quote(interface))}};
}

}  // namespace

std::string fill_command(const ErrorClassInfo& error_class, const Target& configured,
                         std::string_view service, const Outcome& outcome, const ProbeWay& way) {
  const auto hop = parse_target(outcome.proxy_failed ? outcome.proxy : outcome.redirected_to);
  const Target& target = hop ? *hop : configured;
  const bool unix_socket = target.is_unix();
  const bool http = target.scheme.starts_with("http");
  const std::string known =
      http ? std::string(error_class.command) : without_curl(error_class.command);
  const std::string command =
      unix_socket ? command_for_unix(known, target) : applicable(known, false);
  const std::string authority = shell_quote(target.authority());
  const std::string& host = unix_socket ? kLocalhost : target.host;
  const std::string& name = outcome.server_name.empty() ? host : outcome.server_name;
  // An address that was tried for the hop before says nothing about this one.
  const std::string tried = hop && !outcome.proxy_failed ? "" : ip_of(outcome.address);
  const std::string& ip = tried.empty() ? host : tried;
  // The flags are for the configured target's eyes: another origin gets no certificate of ours.
  const ToolFlags flags = hop || way.flags == nullptr ? ToolFlags{} : *way.flags;
  Replacements replacements = way_of(outcome, way, flags, ip);
  const Replacements values{
      {"{host}:{port}", authority},  // together: IPv6 needs its brackets
      {"{host}", shell_quote(host)},
      {"{port}", std::to_string(target.port)},
      {"{ip}", shell_quote(ip)},
      {"{sni}", shell_quote(name)},
      {"{address}", authority},
      {"{path}", shell_quote(target.unix_path)},
      {"{url}", shell_quote(target.label)},
      {"{probe}", shell_quote(way.upstream.empty() ? target.label : way.upstream)},
      {"{service}", service.empty() ? "YOUR-SERVICE" : shell_quote(service)}};
  replacements.insert(replacements.end(), values.begin(), values.end());
  return replace_all(command, replacements);
}

}  // namespace ua
