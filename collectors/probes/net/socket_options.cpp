// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/socket_options.h"

#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/target.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24  // NOLINT(cppcoreguidelines-macro-usage): as glibc has it
#endif

namespace ua {
namespace {

constexpr std::array<std::string_view, 1> kProxyVersions{"v1"};

struct Name {
  std::string_view name;
  std::uint8_t value;
};
/// RFC 2474, 2597, 3246, 5865, 8622.
constexpr std::array<Name, 24> kDscpNames{
    {{"be", 0},    {"le", 1},    {"cs0", 0},   {"cs1", 8},   {"cs2", 16},  {"cs3", 24},
     {"cs4", 32},  {"cs5", 40},  {"cs6", 48},  {"cs7", 56},  {"af11", 10}, {"af12", 12},
     {"af13", 14}, {"af21", 18}, {"af22", 20}, {"af23", 22}, {"af31", 26}, {"af32", 28},
     {"af33", 30}, {"af41", 34}, {"af42", 36}, {"af43", 38}, {"ef", 46},   {"va", 44}}};

void read_source(TableReader& upstream, SocketOptions& options) {
  const auto text = upstream.text("source_address");
  if (!text) return;
  const auto address = ip_endpoint(*text, 0);
  if (!address) {
    upstream.complain("source_address", "write an IP address of this host, as in \"192.0.2.10\"");
  } else if (is_link_local(*address) && address->zone().empty()) {
    upstream.complain("source_address", "a link-local address needs its interface, as in " +
                                            escape_line(*text, 60) + "%eth0");
  } else {
    options.source = address;
  }
}

/// dev_valid_name() of the kernel.
bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= ' ' || byte == 0x7f || c == '/' || c == ':';
         });
}

void read_interface(TableReader& upstream, SocketOptions& options) {
  const auto name = upstream.text("interface");
  if (!name) return;
  if (is_interface_name(*name)) {
    options.interface = *name;
  } else {
    upstream.complain("interface",
                      "'" + escape_line(*name, 60) + "' is no name of a network interface");
  }
}

void read_dscp(TableReader& upstream, SocketOptions& options) {
  const toml::node* node = upstream.node("dscp");
  if (node == nullptr) return;
  if (const auto number = node->value_exact<std::int64_t>()) {
    options.dscp = parse_dscp(std::to_string(*number));
  } else if (const auto name = node->value_exact<std::string>()) {
    options.dscp = parse_dscp(*name);
  }
  if (options.dscp) return;
  upstream.complain("dscp",
                    "write a number from 0 to 63, or a name such as \"ef\", \"af21\", \"cs1\"");
}

bool is_set(const SocketOptions& options) {
  return options.source || !options.interface.empty() || options.dscp || options.proxy_protocol;
}

/// The first of those that are set; empty: none.
std::string_view option_of_ip(const SocketOptions& options) {
  if (options.source) return "source_address";
  if (!options.interface.empty()) return "interface";
  return options.dscp ? "dscp" : "";
}

template <typename T>
bool set(int fd, int level, int name, const T& value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool bind_source(int fd, int family, const Endpoint& source) {
  if (source.family() != family) {
    errno = EAFNOSUPPORT;
    return false;
  }
  set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // a kernel before 4.2 does without
  return bind(fd, source.address(), source.size) == 0;
}

bool mark(int fd, int family, std::uint8_t dscp) {
  const int traffic_class = dscp << 2;  // the lower two bits are congestion control's
  return family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_TCLASS, traffic_class)
                            : set(fd, IPPROTO_IP, IP_TOS, traffic_class);
}

}  // namespace

std::optional<std::uint8_t> parse_dscp(std::string_view text) {
  for (const Name& known : kDscpNames) {
    if (iequals(known.name, text)) return known.value;
  }
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 63) return std::nullopt;
  return value;
}

std::optional<SocketOptions> read_socket_options(TableReader& upstream) {
  SocketOptions result;
  read_source(upstream, result);
  read_interface(upstream, result);
  read_dscp(upstream, result);
  result.proxy_protocol = upstream.choice("proxy_protocol", kProxyVersions).has_value();
  return is_set(result) ? std::optional(result) : std::nullopt;
}

std::string socket_mistake(const SocketOptions& options, const Target& target) {
  if (target.is_unix()) {
    const std::string_view option = option_of_ip(options);
    return option.empty() ? "" : "a Unix socket knows no " + std::string(option);
  }
  if (options.proxy_protocol && target.scheme == "dns") {
    return "a name server is not sent a PROXY line";
  }
  const auto literal = ip_endpoint(target.host, target.port);
  if (!literal || !options.source || literal->family() == options.source->family()) return "";
  return literal->family() == AF_INET ? "an IPv4 address, but source_address is an IPv6 one"
                                      : "an IPv6 address, but source_address is an IPv4 one";
}

std::string SocketTrouble::text() const {
  if (option == "source_address" && error == EADDRNOTAVAIL) {
    return "source_address is no address of this host";
  }
  if (option == "source_address" && error == EINVAL) {
    return "source_address cannot be used towards this address";
  }
  if (option == "source_address" && error == EAFNOSUPPORT) {
    return "source_address is of the other IP version";
  }
  if (option == "interface" && error == ENODEV) return "this host has no such interface";
  if (option == "interface" && error == EPERM) {
    return "interface: kernels before 5.7 ask for CAP_NET_RAW";
  }
  return std::string(option) + ": " + errno_text(error);
}

std::optional<SocketTrouble> set_socket_options(int fd, int family, const SocketOptions& options) {
  if (family == AF_UNIX) return std::nullopt;
  const std::string& interface = options.interface;
  if (!interface.empty() && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                                       static_cast<socklen_t>(interface.size())) != 0) {
    return SocketTrouble{"interface", errno};
  }
  if (options.source && !bind_source(fd, family, *options.source)) {
    return SocketTrouble{"source_address", errno};
  }
  if (options.dscp && !mark(fd, family, *options.dscp)) return SocketTrouble{"dscp", errno};
  return std::nullopt;
}

std::string proxy_line(const Endpoint& from, const Endpoint& to) {
  const bool v4 = from.family() == AF_INET && to.family() == AF_INET;
  const bool v6 = from.family() == AF_INET6 && to.family() == AF_INET6;
  if (!v4 && !v6) return "PROXY UNKNOWN\r\n";
  return std::string("PROXY TCP") + (v4 ? '4' : '6') + ' ' + from.ip() + ' ' + to.ip() + ' ' +
         std::to_string(from.port()) + ' ' + std::to_string(to.port()) + "\r\n";
}

int send_proxy_line(int fd) {
  const auto ask = [fd](auto* question) {
    Endpoint result;
    result.size = sizeof result.storage;
    question(fd, reinterpret_cast<sockaddr*>(&result.storage), &result.size);
    return result;
  };
  const std::string line = proxy_line(ask(&getsockname), ask(&getpeername));
  // At most 107 bytes always fit into a fresh socket's buffer.
  return ::send(fd, line.data(), line.size(), MSG_NOSIGNAL) < 0 ? errno : 0;
}

}  // namespace ua
