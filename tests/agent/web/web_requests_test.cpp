// SPDX-License-Identifier: Apache-2.0
// What becomes of a request.
#include "agent/web/web_server.h"

#include "tests/agent/web/web_rig.h"

namespace {

using namespace std::chrono_literals;
using namespace web_test;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

}  // namespace

TEST_CASE("the metrics come with the type and headers that their maker chose", "[web]") {
  Server server;
  const std::string reply = server.ask("GET /metrics?collect=all", "Accept: text/plain\r\n");
  CHECK_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n") && EndsWith("\r\n\r\nup 1\n"));
  CHECK_THAT(reply, Contains("Content-Type: text/x-metrics\r\n") &&
                        Contains("Vary: Accept, Accept-Encoding\r\n") &&
                        Contains("Cache-Control: no-store\r\n") &&
                        Contains("X-Content-Type-Options: nosniff\r\n"));
  CHECK(server.counted == "/metrics 200");
  CHECK_THAT(server.ask("GET /metrics", "Accept: application/openmetrics-text\r\n"),
             Contains("Content-Type: text/x-open\r\n"));
}

TEST_CASE("large pages are compressed for who likes that", "[web]") {
  Server server;
  const std::string reply = server.ask("GET /metrics", "Accept-Encoding: gzip\r\n");
  CHECK_THAT(reply, Contains("Content-Encoding: gzip\r\n") && Contains("\r\n\r\n\x1f\x8b"));
  CHECK_THAT(server.ask("GET /metrics", "Accept-Encoding: gzip;q=0\r\n"),
             EndsWith("\r\n\r\nup 1\n") && !Contains("Content-Encoding"));
}

TEST_CASE("who asks while a page is made for others gets the same", "[web]") {
  Server server;
  std::atomic<int> made{0};
  std::atomic<bool> go_on{false};
  server.body = "up 1\n";
  server.on_metrics = [&] {
    ++made;
    while (!go_on) wait_milliseconds(1);
  };
  std::vector<std::unique_ptr<Client>> clients(10);
  for (auto& client : clients) {
    client = std::make_unique<Client>(server.port);
    client->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  while (made == 0) wait_milliseconds(1);
  wait_milliseconds(300);  // all of them wait
  go_on = true;
  for (auto& client : clients) CHECK_THAT(client->read_until("up 1\n"), EndsWith("up 1\n"));
  CHECK(made == 2);  // nobody waits beside the last one
  CHECK_THAT(server.ask("GET /metrics"), EndsWith("up 1\n"));
  CHECK(made == 3);
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

TEST_CASE("headers and paths beyond the limit are refused", "[web]") {
  Server server;
  const std::string much(65536, 'x');
  CHECK_THAT(server.ask("GET /metrics", "X: " + much + "\r\n"), StartsWith("HTTP/1.1 431"));
  CHECK_THAT(server.ask("GET /" + much), StartsWith("HTTP/1.1 414"));
  CHECK_THAT(server.ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
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
