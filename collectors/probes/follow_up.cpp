// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/follow_up.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "collectors/probes/tls/starttls.h"

namespace ua {
namespace {

/// "192.0.2.1:80" and "[2001:db8::1]:80" back to an endpoint.
std::optional<Endpoint> endpoint_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint16_t port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return port == 0 ? std::nullopt : ip_endpoint(host, port);
}

bool is_tls_record(std::string_view bytes) {
  constexpr char kAlert = 0x15;
  constexpr char kHandshake = 0x16;
  return bytes.size() >= 2 && (bytes[0] == kHandshake || bytes[0] == kAlert) && bytes[1] == 3;
}

bool is_server_hello(std::string_view bytes) {
  constexpr char kServerHello = 2;
  return is_tls_record(bytes) && bytes[0] == 0x16 && bytes.size() > 5 && bytes[5] == kServerHello;
}

/// A 400 may be a TLS server's way to say that it was spoken to in plain.
bool is_http(std::string_view bytes) {
  return bytes.starts_with("HTTP/1.") && bytes.size() >= 12 && bytes.substr(9, 3) != "400";
}

std::string sized(std::size_t width, const std::string& content) {
  std::string result;
  for (std::size_t i = width; i-- > 0;) {
    result += static_cast<char>((content.size() >> (8 * i)) & 0xffU);
  }
  return result + content;
}

std::string numbers(std::initializer_list<unsigned> values) {
  std::string result;
  for (const unsigned value : values) {
    result += static_cast<char>(value >> 8U);
    result += static_cast<char>(value & 0xffU);
  }
  return result;
}

std::string extension(unsigned type, const std::string& content) {
  return numbers({type}) + sized(2, content);
}

/// With tcp.starttls: no greeting, as of a server that waits for a ClientHello.
bool waits_for_tls(const Outcome& outcome) {
  return outcome.error == ErrorClass::response_timeout && outcome.detail.ends_with(",greeting");
}

}  // namespace

std::string_view sentence(Finding finding) {
  switch (finding) {
    case Finding::speaks_tls:
      return "the port speaks TLS: write https:// in the target or in proxy_pass";
    case Finding::speaks_plain_http:
      return "the port speaks plain HTTP: write http:// in the target or in proxy_pass";
    case Finding::speaks_tls_at_once:
      return "the port speaks TLS at once: leave tcp.starttls out";
    case Finding::rejects_server_name:
      return "the same handshake succeeds without the server name: the server does not know it";
    case Finding::nothing:
      break;
  }
  return "";
}

bool calls_for_follow_up(const Target& target, const Outcome& outcome) {
  if (!outcome.redirected_to.empty() || !outcome.proxy.empty() || !endpoint_of(outcome.address))
    return false;
  const ErrorClass error = outcome.error;
  if (!starttls_of(outcome.detail).empty()) return waits_for_tls(outcome);
  if (target.scheme == "https" || target.scheme == "tls") {
    return error == ErrorClass::tls_timeout || error == ErrorClass::tls_handshake_failed;
  }
  return target.scheme == "http" &&
         (error == ErrorClass::closed_before_headers || error == ErrorClass::reset_before_headers);
}

std::string client_hello(std::string_view server_name) {
  const std::string random(32, '\x5a');
  // TLS 1.3, then what TLS 1.2 and older servers have in common.
  const std::string ciphers = numbers({0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                                       0xcca9, 0xcca8, 0x009c, 0xc013, 0x002f, 0x0035});
  const std::string base_point = '\x09' + std::string(31, '\0');  // a valid x25519 share
  std::string extensions;
  if (!server_name.empty()) {
    extensions += extension(0, sized(2, '\0' + sized(2, std::string(server_name))));
  }
  extensions += extension(10, sized(2, numbers({0x001d, 0x0017, 0x0018})));
  extensions += extension(11, sized(1, std::string(1, '\0')));
  extensions += extension(13, sized(2, numbers({0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806,
                                                0x0401, 0x0501, 0x0601, 0x0201})));
  extensions += extension(43, sized(1, numbers({0x0304, 0x0303, 0x0302, 0x0301})));
  extensions += extension(51, sized(2, numbers({0x001d}) + sized(2, base_point)));
  const std::string body = numbers({0x0303}) + random + sized(1, "") + sized(2, ciphers) +
                           sized(1, std::string(1, '\0')) + sized(2, extensions);
  const std::string handshake = '\x01' + sized(3, body);
  return '\x16' + numbers({0x0301}) + sized(2, handshake);
}

FollowUp::FollowUp(Loop& loop, const Target& target, const Outcome& outcome,
                   std::shared_ptr<const SocketOptions> socket, Done done, Duration patience)
    : loop_(loop),
      endpoint_(endpoint_of(outcome.address).value_or(Endpoint{})),
      server_name_(ip_endpoint(outcome.server_name, 0) ? "" : outcome.server_name),
      host_(target.authority()),
      socket_(std::move(socket)),
      done_(std::move(done)),
      patience_(patience) {
  if (waits_for_tls(outcome)) {
    look_for_tls(Finding::speaks_tls_at_once);
  } else if (target.is_tls()) {
    look_for_http();
  } else {
    if (!ip_endpoint(target.host, 0)) server_name_ = target.host;
    look_for_tls(Finding::speaks_tls);
  }
}

void FollowUp::look_for_tls(Finding finding) {
  ask(client_hello(server_name_), [this, finding](std::string_view bytes) {
    finish(is_tls_record(bytes) ? finding : Finding::nothing);
  });
}

void FollowUp::look_for_http() {
  ask("HEAD / HTTP/1.1\r\nHost: " + host_ +
          "\r\nUser-Agent: upstream-agent/" UA_VERSION "\r\nConnection: close\r\n\r\n",
      [this](std::string_view bytes) {
        if (is_http(bytes)) return finish(Finding::speaks_plain_http);
        if (server_name_.empty()) return finish(Finding::nothing);
        look_without_name();
      });
}

/// Both ways, so that nothing but the name is different.
void FollowUp::look_without_name() {
  ask(client_hello(server_name_), [this](std::string_view with_name) {
    if (is_server_hello(with_name)) return finish(Finding::nothing);
    ask(client_hello(""), [this](std::string_view without) {
      finish(is_server_hello(without) ? Finding::rejects_server_name : Finding::nothing);
    });
  });
}

void FollowUp::ask(std::string greeting, Answer answer) {
  greeting_ = std::move(greeting);
  answer_ = std::move(answer);
  patience_timer_ = loop_.after(patience_, [this] { answered(""); });
  dial_ = std::make_unique<Dial>(
      loop_, endpoint_, [this](Connection connection) { on_connected(std::move(connection)); },
      [this](const DialFailure&) { answered(""); }, socket_);
}

void FollowUp::on_connected(Connection connection) {
  if (later_ || !done_) return;  // patience ended in this same turn
  fd_ = std::move(connection.fd);
  // A few hundred bytes always fit into a fresh socket's buffer.
  if (::send(fd_.get(), greeting_.data(), greeting_.size(), MSG_NOSIGNAL) < 0) return answered("");
  watch_ = loop_.watch(fd_.get(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
}

void FollowUp::on_readable() {
  std::array<char, 64> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  answered(size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : "");
}

/// The callback that led here must be left before the next connection replaces its owner.
void FollowUp::answered(std::string first_bytes) {
  patience_timer_.cancel();
  watch_.cancel();
  fd_.reset();
  if (later_) return;
  later_ = loop_.after(Duration::zero(), [this, bytes = std::move(first_bytes)] {
    later_ = Timer();
    dial_.reset();
    const Answer answer = std::exchange(answer_, nullptr);
    answer(bytes);
  });
}

void FollowUp::give_up() {
  patience_timer_.cancel();
  watch_.cancel();
  later_.cancel();
  fd_.reset();
  done_ = nullptr;
}

void FollowUp::finish(Finding finding) {
  const Done done = std::exchange(done_, nullptr);
  if (done) done(finding);
}

}  // namespace ua
