// SPDX-License-Identifier: Apache-2.0
// Its connections, its addresses and its end.
#include "agent/web/web_server.h"

#include <sys/resource.h>

#include <thread>

#include "tests/agent/web/web_rig.h"

namespace {

using namespace std::chrono_literals;
using namespace web_test;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

}  // namespace

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

TEST_CASE("a client that does not read its reply is ended", "[web]") {
  Server server({.request = 300ms, .reply = 300ms});
  server.body = std::string(32U << 20U, 'x');  // more than the sockets' buffers hold
  Client client(server.port);
  client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_milliseconds(1500);
  CHECK(client.read_all().size() < server.body.size());
  CHECK(client.closed());
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

TEST_CASE("who asks without end on one connection makes room for others", "[web]") {
  Server server({.request = 1h, .reply = 1h, .give_way = 1h}, 4);
  std::atomic<bool> stop{false};
  std::vector<std::thread> clients;
  for (const std::string from : {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"}) {
    clients.emplace_back([&, from] {
      const std::string request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
      while (!stop) {
        Client client(server.port, from);
        while (!stop && !client.closed()) {
          client.send(request + request);
          client.read_until("up 1\n");
        }
      }
    });
  }
  wait_milliseconds(200);
  for (int i = 0; i < 5; ++i) CHECK_THAT(server.ask("GET /metrics"), EndsWith("up 1\n"));
  stop = true;
  for (std::thread& client : clients) client.join();
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
