// SPDX-License-Identifier: Apache-2.0
// A real server on a free loopback port, spoken to byte by byte.
#include "agent/web/web_server.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "collectors/core/epoll_loop.h"
#include "collectors/core/unique_fd.h"
#include "collectors/probes/endpoint.h"
#include "tests/catch.h"

namespace {

using namespace std::chrono_literals;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

constexpr int kPatience = 10'000;  // milliseconds after which a test gives up

void wait_milliseconds(int count) { ::poll(nullptr, 0, count); }

/// A client that sends what it is told and reads until the server closes or `until` arrived.
class Client {
 public:
  Client() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit Client(std::uint16_t port, std::string_view from = "127.0.0.1") : Client() {
    const auto own = *ua::ip_endpoint(from, 0);
    REQUIRE(bind(fd_.get(), own.address(), own.size) == 0);
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
    REQUIRE(connect(fd_.get(), server.address(), server.size) == 0);
  }

 private:
  ua::UniqueFd fd_;
  bool closed_ = false;
};

struct Server {
  explicit Server(ua::WebDeadlines deadlines = {}, unsigned max_connections = 64,
                  std::vector<std::string> addresses = {"127.0.0.1:0"}) {
    handlers.metrics = [this](std::string_view accept, std::string_view encoding) {
      accepted = std::string(accept) + '|' + std::string(encoding);
      ua::WebReply reply;
      reply.body = body;
      reply.content_type = "text/x-metrics";
      reply.headers.emplace_back("Vary", "Accept, Accept-Encoding");
      return reply;
    };
    handlers.status_page = [](std::string_view) -> ua::WebReply {
      throw std::runtime_error("broken page");
    };
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
  std::string accepted;
  std::string counted;  // written before the reply is sent
  std::atomic<bool> ready{false};
  std::atomic<unsigned> turns{0};
  std::function<void(ua::WebHandlers::ReloadDone)> on_reload = [](const auto& done) { done({}); };
  std::uint16_t port = 0;
  std::unique_ptr<ua::WebServer> web;  // last: it uses all of the above
};

std::vector<std::unique_ptr<Client>> many_silent(std::uint16_t port, std::size_t count) {
  std::vector<std::unique_ptr<Client>> result(count);
  for (auto& client : result) client = std::make_unique<Client>(port, "127.0.0.2");
  return result;
}

/// A byte each 100 ms for a second.
void drip(Client& client) {
  for (int i = 0; i < 10; ++i) {
    wait_milliseconds(100);
    client.send("X");
  }
}

}  // namespace

TEST_CASE("the metrics come with the type and headers that their maker chose", "[web]") {
  Server server;
  const std::string reply =
      server.ask("GET /metrics?collect=all", "Accept: text/plain\r\nAccept-Encoding: gzip\r\n");
  CHECK_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n") && EndsWith("\r\n\r\nup 1\n"));
  CHECK_THAT(reply, Contains("Content-Type: text/x-metrics\r\n") &&
                        Contains("Vary: Accept, Accept-Encoding\r\n") &&
                        Contains("Cache-Control: no-store\r\n") &&
                        Contains("X-Content-Type-Options: nosniff\r\n"));
  CHECK(server.accepted == "text/plain|gzip");
  CHECK(server.counted == "/metrics 200");
}

TEST_CASE("HEAD has the headers of GET, its length included, and no body", "[web]") {
  Server server;
  const std::string reply = server.ask("HEAD /metrics");
  CHECK_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n") && Contains("Content-Length: 5\r\n") &&
                        Contains("Content-Type: text/x-metrics\r\n") && EndsWith("\r\n\r\n"));
}

TEST_CASE("health is not readiness", "[web]") {
  Server server;
  CHECK_THAT(server.ask("GET /-/healthy"), StartsWith("HTTP/1.1 200"));
  CHECK_THAT(server.ask("GET /-/ready"), StartsWith("HTTP/1.1 503"));
  server.ready = true;
  CHECK_THAT(server.ask("GET /-/ready"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("what is not there is said shortly, and counted under one name", "[web]") {
  Server server;
  const std::string reply = server.ask("GET /wp-login.php");
  CHECK_THAT(reply, StartsWith("HTTP/1.1 404") && Contains("/metrics"));
  CHECK(reply.find("wp-login") == std::string::npos);
  CHECK(server.counted == "other 404");
  CHECK_THAT(server.ask("GET /%6detrics"), StartsWith("HTTP/1.1 404"));
  CHECK_THAT(server.ask("GET /metrics%00x"), StartsWith("HTTP/1.1 404"));
  CHECK_THAT(server.ask("DELETE /metrics"),
             StartsWith("HTTP/1.1 405") && Contains("Allow: GET, HEAD\r\n"));
  CHECK_THAT(server.ask("BREW /metrics"), StartsWith("HTTP/1.1 501"));
}

TEST_CASE("a page that throws is a 500, and the server goes on", "[web]") {
  Server server;
  const std::string reply = server.ask("GET /");
  CHECK_THAT(reply, StartsWith("HTTP/1.1 500"));
  CHECK(reply.find("broken page") == std::string::npos);
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("private pages refuse other names, proxies and foreign pages", "[web]") {
  Server server;
  const auto status_of = [&](std::string_view line, std::string_view headers) {
    Client client(server.port);
    client.send(std::string(line) + " HTTP/1.1\r\nConnection: close\r\n" + std::string(headers) +
                "\r\n");
    return client.read_all().substr(9, 3);
  };
  CHECK(status_of("POST /-/reload", "Host: localhost\r\n") == "200");
  CHECK(status_of("POST /-/reload", "Host: evil.example\r\n") == "403");
  CHECK(status_of("POST /-/reload", "Host: localhost\r\nx-forwarded-for: 1.2.3.4\r\n") == "403");
  CHECK(status_of("POST /-/reload", "Host: localhost\r\nForwarded: for=1.2.3.4\r\n") == "403");
  CHECK(status_of("POST /-/reload", "Host: localhost\r\nOrigin: http://evil.example\r\n") == "403");
  CHECK(status_of("GET /", "Host: evil.example\r\n") == "403");
  CHECK(status_of("GET /metrics", "Host: evil.example\r\nForwarded: for=1.2.3.4\r\n") == "200");
}

TEST_CASE("one connection carries several requests, each with its own time", "[web]") {
  Server server({.request = 300ms, .reply = 1h});
  Client client(server.port);
  for (int i = 0; i < 4; ++i) {
    wait_milliseconds(150);
    client.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK_THAT(client.read_until("Healthy.\n"), StartsWith("HTTP/1.1 200"));
    REQUIRE_FALSE(client.closed());
  }
  client.read_all();
  CHECK(client.closed());
}

TEST_CASE("silent and dripping clients are ended", "[web]") {
  Server server({.request = 300ms, .reply = 300ms});
  Client silent(server.port);
  Client drips(server.port);
  drips.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
  drip(drips);
  silent.read_all();
  drips.read_all();
  CHECK(silent.closed());
  CHECK(drips.closed());
}

TEST_CASE("a body is refused at the headers, whoever sends it and however slowly", "[web]") {
  Server server({.request = 1h, .reply = 1h});
  for (const std::string length : {"Content-Length: 100000", "Transfer-Encoding: chunked",
                                   "Expect: 100-continue\r\nContent-Length: 5"}) {
    Client client(server.port);
    client.send("POST /-/reload HTTP/1.1\r\nHost: localhost\r\n" + length + "\r\n\r\n");
    const std::string reply = client.read_all();
    CHECK(client.closed());
    CHECK_THAT(reply, StartsWith("HTTP/1.1 413") && Contains("Connection: close\r\n"));
    CHECK(server.counted == "/-/reload 413");
  }
}

TEST_CASE("a request that could be read in two ways gets one reply, and no other follows",
          "[web]") {
  using namespace std::string_view_literals;
  Server server({.request = 1h, .reply = 1h});
  for (const std::string_view sent : {
           "GET /-/healthy\0x HTTP/1.1\r\nHost: localhost\r\n\r\n"sv,
           "GET /-/healthy HTTP/1.1\r\nHost: localhost\0.evil\r\n\r\n"sv,
           "GET /-/healthy HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n"sv,
           "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX: y\r\n z\r\n\r\n"sv,
           "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
           "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
           "Content-Length: 3\r\n\r\nabc"sv,
       }) {
    CAPTURE(sent);
    Client client(server.port);
    client.send(std::string(sent) + "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string reply = client.read_all();
    CHECK(client.closed());
    CHECK_THAT(reply, StartsWith("HTTP/1.1 400"));
    CHECK(reply.find("HTTP/1.1", 1) == std::string::npos);
    CHECK(server.counted == "/-/healthy 400");
  }
}

TEST_CASE("a large head that comes in pieces, and two at once, are no trouble", "[web]") {
  Server server;
  std::string request =
      "GET /-/healthy?a=1&b=2&c HTTP/1.1\r\nHost: localhost \r\nEmpty:\r\n"
      "Cookie: a=b; c=\"d\"; e\r\n";
  for (int i = 0; i < 20; ++i) request += "X: " + std::string(900, 'y') + "\r\n";
  request += "\r\n";
  Client client(server.port);
  for (std::size_t at = 0; at < request.size(); at += 2000) {
    client.send(std::string_view(request).substr(at, 2000));
    wait_milliseconds(5);
  }
  CHECK_THAT(client.read_until("Healthy.\n"), StartsWith("HTTP/1.1 200"));
  client.send(request + request);
  const std::string replies = client.read_until("Healthy.\n") + client.read_until("Healthy.\n");
  CHECK_THAT(replies, StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a client that does not read its reply is ended", "[web]") {
  Server server({.request = 300ms, .reply = 300ms});
  server.body = std::string(32U << 20U, 'x');  // more than the sockets' buffers hold
  Client client(server.port);
  client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_milliseconds(1500);
  CHECK(client.read_all().size() < server.body.size());
  CHECK(client.closed());
}

TEST_CASE("headers and paths beyond the limit are refused", "[web]") {
  Server server;
  const std::string much(65536, 'x');
  CHECK_THAT(server.ask("GET /metrics", "X: " + much + "\r\n"), StartsWith("HTTP/1.1 431"));
  CHECK_THAT(server.ask("GET /" + much), StartsWith("HTTP/1.1 414"));
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("one address does not get all connections, and is served all the same", "[web]") {
  Server server({.request = 1h, .reply = 1h});
  const auto silent = many_silent(server.port, 20);
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
  const auto ended = [&] {
    return std::count_if(silent.begin(), silent.end(),
                         [](const auto& one) { return one->ended(); });
  };
  for (int i = 0; i < kPatience / 10 && ended() < 4; ++i) wait_milliseconds(10);
  CHECK(ended() == 4);
  Client same(server.port, "127.0.0.2");
  same.send("GET /metrics HTTP/1.0\r\n\r\n");
  CHECK_THAT(same.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("where all connections are silent, one gives way to a scrape", "[web]") {
  Server server({.request = 1h, .reply = 1h, .give_way = 1h}, 4);
  const auto silent = many_silent(server.port, 4);
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("where nobody reads its reply, one gives way to a check of health", "[web]") {
  Server server({.request = 1h, .reply = 1h}, 4);
  server.body = std::string(32U << 20U, 'x');  // more than the sockets' buffers hold
  const auto silent = many_silent(server.port, 4);
  for (const auto& client : silent) {
    client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client->wait_for_data();
  }
  CHECK_THAT(server.ask("GET /-/healthy"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a reload does not hold up the metrics", "[web]") {
  Server server;
  ua::WebHandlers::ReloadDone done;
  std::atomic<bool> begun{false};
  server.on_reload = [&](ua::WebHandlers::ReloadDone later) {
    done = std::move(later);
    begun = true;
  };
  Client client(server.port);
  client.send("POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  while (!begun) wait_milliseconds(10);
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
  done(ua::fail("agent.toml:3:1: unknown key 'x'"));
  const std::string reply = client.read_all();
  CHECK_THAT(reply, StartsWith("HTTP/1.1 500") && Contains("agent.toml:3:1: unknown key 'x'"));
  CHECK(server.counted == "/-/reload 500");
}

TEST_CASE("a reload that throws is a 500", "[web]") {
  Server server;
  server.on_reload = [](const auto&) { throw std::runtime_error("no"); };
  CHECK_THAT(server.ask("POST /-/reload"), StartsWith("HTTP/1.1 500"));
}

TEST_CASE("the server ends while a reload and silent clients are open", "[web]") {
  auto server = std::make_unique<Server>();
  ua::WebHandlers::ReloadDone done;
  std::atomic<bool> begun{false};
  server->on_reload = [&](ua::WebHandlers::ReloadDone later) {
    done = std::move(later);
    begun = true;
  };
  Client silent(server->port);
  Client client(server->port);
  client.send("POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (!begun) wait_milliseconds(10);
  server.reset();
  client.read_all();
  CHECK(client.closed());
  silent.read_all();
  CHECK(silent.closed());
  done({});  // too late, and harmless
}

TEST_CASE("several addresses are served at once, a Unix socket as one of this host", "[web]") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("ua-web-" + std::to_string(getpid()) + ".sock");
  Server server({}, 64, {"127.0.0.1:0", "unix:" + path});
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
  Client client(path);
  client.send("POST /-/reload HTTP/1.0\r\n\r\n");
  CHECK_THAT(client.read_all(), Contains("200 OK") && EndsWith("Reloaded.\n"));
}

TEST_CASE("without descriptors the server waits, does not spin, and comes back", "[web]") {
  Server server;
  Client client;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 3;  // less than is open already
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  client.connect_to(*ua::ip_endpoint("127.0.0.1", server.port));
  client.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  wait_milliseconds(400);
  const unsigned turns = server.turns;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(turns > 0);
  CHECK(turns < 200);
  CHECK_THAT(client.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a server that cannot listen says where and why", "[web]") {
  Server server;
  ua::WebConfig config;
  config.listen_addresses = {*ua::parse_listen_address("127.0.0.1:0"),
                             *ua::parse_listen_address(server.web->addresses().front())};
  const auto second =
      ua::WebServer::start(config, {.all = 64}, server.handlers, [&] { return server.loop.now(); });
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, Contains(server.web->addresses().front()));
}
