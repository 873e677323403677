// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/discovery/nginx_scope.h"

namespace ua {
namespace {

constexpr NginxPass kStreamPass{"proxy_pass", "", NginxProtocol::connect};
constexpr std::array<NginxPass, 6> kHttpPasses{{
    {"proxy_pass", "http:// https://", NginxProtocol::http},
    {"grpc_pass", "grpc:// grpcs://", NginxProtocol::connect},
    {"fastcgi_pass", "", NginxProtocol::connect},
    {"uwsgi_pass", "uwsgi:// suwsgi://", NginxProtocol::connect},
    {"scgi_pass", "", NginxProtocol::connect},
    {"memcached_pass", "", NginxProtocol::connect},
}};

constexpr std::string_view kRunTime = "holds a variable that is known at run time only";

/// Takes the prefix off `text`; false where it has one that it may not have, or lacks one.
bool take_prefix(std::string_view& text, const NginxPass& pass, NginxAddress& address) {
  address.protocol = pass.protocol;
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) return pass.protocol == NginxProtocol::connect;
  const std::string prefix = to_lower(text.substr(0, mark + 3));
  const std::vector<std::string_view> known = split(pass.prefixes, ' ');
  if (std::find(known.begin(), known.end(), prefix) == known.end()) return false;
  if (prefix == "https://") address.protocol = NginxProtocol::https;
  text.remove_prefix(mark + 3);
  return true;
}

/// Up to the directory of what is known at run time only, and then without a query.
std::string known_part(std::string_view uri) {
  const std::size_t unknown = uri.find(kUnknown);
  if (unknown == std::string_view::npos) return std::string(uri);
  const std::size_t query = uri.find('?');
  if (query < unknown) return std::string(uri.substr(0, query));
  return std::string(uri.substr(0, uri.substr(0, unknown).rfind('/') + 1));
}

Result<void> split_port(std::string_view text, NginxAddress& address) {
  const std::size_t bracket = text.find(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  address.host = text.substr(0, colon);
  if (address.host.empty()) return fail("names no host");
  if (colon == std::string_view::npos) return {};
  address.port = text.substr(colon + 1);
  if (address.port.empty()) return fail("names no port after the ':'");
  return {};
}

}  // namespace

bool is_ip_literal(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), bytes.data()) == 1;
}

std::string_view NginxAddress::default_port() const {
  if (protocol == NginxProtocol::connect) return {};
  return protocol == NginxProtocol::https ? "443" : "80";
}

std::string NginxAddress::proxy_host() const {
  if (is_unix()) return "localhost";
  return port.empty() || port == default_port() ? host : host + ':' + port;
}

const NginxPass* find_nginx_pass(std::string_view directive, bool stream) {
  if (stream) return directive == kStreamPass.directive ? &kStreamPass : nullptr;
  const auto found =
      std::find_if(kHttpPasses.begin(), kHttpPasses.end(),
                   [&](const NginxPass& pass) { return pass.directive == directive; });
  return found == kHttpPasses.end() ? nullptr : found;
}

Result<NginxAddress> parse_nginx_address(std::string_view text, const NginxPass& pass) {
  NginxAddress address;
  if (!take_prefix(text, pass, address)) {
    const bool hidden = text.substr(0, text.find("://")).find(kUnknown) != std::string_view::npos;
    return fail(hidden ? std::string(kRunTime) : "has no scheme that nginx takes");
  }
  const bool has_uri = address.protocol != NginxProtocol::connect;
  const bool is_unix = text.starts_with("unix:");
  std::size_t end = std::string_view::npos;
  if (has_uri) end = is_unix ? text.find(':', 5) : text.find_first_of("/?");
  const std::string_view authority = text.substr(0, end);
  if (authority.find(kUnknown) != std::string_view::npos) return fail(std::string(kRunTime));
  if (authority.find('@') != std::string_view::npos) {
    return fail("holds credentials, which nginx does not take there");
  }
  if (end != std::string_view::npos) address.uri = known_part(text.substr(end + (is_unix ? 1 : 0)));
  if (is_unix) {
    address.host = authority;
    return address;
  }
  if (const Result<void> good = split_port(authority, address); !good) {
    return tl::unexpected(good.error());
  }
  return address;
}

Result<NginxAddress> parse_nginx_server(std::string_view text) {
  NginxAddress address;
  if (text.starts_with("unix:")) {
    address.host = text;
    return address;
  }
  if (const Result<void> good = split_port(text, address); !good) {
    return tl::unexpected(good.error());
  }
  return address;
}

std::string nginx_url(const NginxAddress& address, NginxProtocol protocol, std::string_view port,
                      std::string_view uri) {
  const bool connect = protocol == NginxProtocol::connect;
  std::string path = connect ? "" : (uri.starts_with('/') ? "" : "/") + std::string(uri);
  if (address.is_unix()) {
    const std::string socket = address.host.substr(std::string_view("unix:").size());
    return connect ? "tcp+unix://" + socket : "http+unix://" + socket + ':' + path;
  }
  const std::string scheme =
      connect ? "tcp://" : (protocol == NginxProtocol::https ? "https://" : "http://");
  return scheme + to_lower(address.host) + ':' +
         (address.port.empty() ? std::string(port) : address.port) + path;
}

}  // namespace ua
