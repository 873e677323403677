// SPDX-License-Identifier: Apache-2.0
// A real server on a free loopback port, and a client that speaks to it byte by byte.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/web/web_server.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/unique_fd.h"
#include "collectors/probes/net/endpoint.h"
#include "tests/catch.h"

namespace web_test {

using namespace std::chrono_literals;

inline constexpr int kPatience = 10'000;  // milliseconds after which a test gives up

inline void wait_milliseconds(int count) { ::poll(nullptr, 0, count); }

/// A client that sends what it is told and reads until the server closes or `until` arrived. Some
/// tests have one a thread, and Catch2's assertions are for one thread: it throws.
class Client {
 public:
  Client() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit Client(std::uint16_t port, std::string_view from = "127.0.0.1") : Client() {
    const auto own = *ua::ip_endpoint(from, 0);
    if (bind(fd_.get(), own.address(), own.size) != 0) throw std::runtime_error("bind");
    connect_to(*ua::ip_endpoint("127.0.0.1", port));
  }
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    connect_to(*ua::unix_endpoint(path));
  }
  void send(std::string_view bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// All until the end of the stream.
  std::string read_all() { return read_until("text that no page has"); }
  std::string read_until(std::string_view text) {
    std::string result;
    std::array<char, 65536> buffer{};
    while (result.find(text) == std::string::npos) {
      pollfd ready{fd_.get(), POLLIN, 0};
      if (::poll(&ready, 1, kPatience) != 1) return result + "<nothing more came>";
      const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        closed_ = true;
        break;
      }
      result.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return result;
  }
  void wait_for_data() {
    pollfd ready{fd_.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, kPatience) == 1);
  }
  /// Whether the server has closed and sent nothing.
  bool ended() const {
    char byte = 0;
    return recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }
  bool closed() const { return closed_; }
  void connect_to(const ua::Endpoint& server) {
    if (connect(fd_.get(), server.address(), server.size) != 0) throw std::runtime_error("connect");
  }

 private:
  ua::UniqueFd fd_;
  bool closed_ = false;
};

struct Server {
  explicit Server(ua::WebDeadlines deadlines = {}, unsigned max_connections = 64,
                  std::vector<std::string> addresses = {"127.0.0.1:0"}) {
    handlers.metrics = [this](ua::ExpositionFormat format) {
      on_metrics();
      ua::WebReply reply;
      reply.body = body;
      reply.content_type = format == ua::ExpositionFormat::text ? "text/x-metrics" : "text/x-open";
      return reply;
    };
    handlers.status_page = []() -> ua::WebReply { throw std::runtime_error("broken page"); };
    handlers.ready = [this] { return ready.load(); };
    handlers.reload = [this](ua::WebHandlers::ReloadDone done) { on_reload(std::move(done)); };
    handlers.count = [this](std::string_view handler, unsigned code) {
      counted = std::string(handler) + ' ' + std::to_string(code);
    };
    ua::WebConfig config;
    config.listen_addresses.clear();
    for (const std::string& address : addresses) {
      config.listen_addresses.push_back(*ua::parse_listen_address(address));
    }
    auto started = ua::WebServer::start(
        config, {.all = max_connections}, handlers,
        [this] {
          ++turns;
          return loop.now();
        },
        deadlines);
    REQUIRE(started);
    web = std::move(*started);
    const std::string& first = web->addresses().front();
    if (!first.starts_with("unix:")) {
      port = static_cast<std::uint16_t>(std::stoi(first.substr(first.rfind(':') + 1)));
    }
  }
  /// One request on a connection of its own.
  std::string ask(std::string_view request_line, std::string_view more = "") const {
    Client client(port);
    client.send(std::string(request_line) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) +
                "Connection: close\r\n\r\n");
    return client.read_all();
  }

  ua::EpollLoop loop;  // keeps time; it does not turn
  ua::WebHandlers handlers;
  std::string body = "up 1\n";
  std::string counted;  // written before the reply is sent
  std::atomic<bool> ready{false};
  std::atomic<unsigned> turns{0};
  std::function<void()> on_metrics = [] {};
  std::function<void(ua::WebHandlers::ReloadDone)> on_reload = [](const auto& done) { done({}); };
  std::uint16_t port = 0;
  std::unique_ptr<ua::WebServer> web;  // last: it uses all of the above
};

inline std::vector<std::unique_ptr<Client>> many_silent(std::uint16_t port, std::size_t count) {
  std::vector<std::unique_ptr<Client>> result(count);
  for (auto& client : result) client = std::make_unique<Client>(port, "127.0.0.2");
  return result;
}

/// A byte each 100 ms for a second.
inline void drip(Client& client) {
  for (int i = 0; i < 10; ++i) {
    wait_milliseconds(100);
    client.send("X");
  }
}
}  // namespace web_test
