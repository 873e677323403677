// SPDX-License-Identifier: Apache-2.0
// The agent's own server, asked by a client on this host that sends any bytes: what a strict reader
// of HTTP does not take for a request to a page, and to that page alone, brings no page.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "agent/web/access.h"
#include "agent/web/web_server.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"
#include "collectors/probes/net/endpoint.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_reader.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

const std::map<std::string, std::string>& page_of_body() {
  static const std::map<std::string, std::string> pages{{"the metrics\n", "/metrics"},
                                                        {"the status page\n", "/"},
                                                        {"Healthy.\n", "/-/healthy"},
                                                        {"Ready.\n", "/-/ready"},
                                                        {"Reloaded.\n", "/-/reload"}};
  return pages;
}

WebReply reply_of(std::string body) {
  WebReply reply;
  reply.body = std::move(body);
  return reply;
}

/// One server for all inputs, at a Unix socket, which counts as this host.
class Server {
 public:
  Server()
      : path_(std::filesystem::temp_directory_path() / ("ua-fuzz-" + std::to_string(getpid()))) {
    WebHandlers handlers;
    handlers.metrics = [](ExpositionFormat) { return reply_of("the metrics\n"); };
    handlers.status_page = [] { return reply_of("the status page\n"); };
    handlers.ready = [] { return true; };
    handlers.reload = [](const WebHandlers::ReloadDone& done) { done({}); };
    handlers.count = [](auto, auto) {};
    WebConfig config;
    config.listen_addresses = {*parse_listen_address("unix:" + path_.string())};
    auto started = WebServer::start(config, {.all = 64}, handlers, [this] { return loop_.now(); });
    if (!started) throw std::runtime_error(started.error().message);
    web_ = std::move(*started);
  }

  UniqueFd connect() const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = unix_endpoint(path_.string());
    if (::connect(fd.get(), address->address(), address->size) != 0) {
      throw std::runtime_error("no connection to the server");
    }
    return fd;
  }

 private:
  EpollLoop loop_;  // keeps time; it does not turn
  std::filesystem::path path_;
  std::unique_ptr<WebServer> web_;
};

std::string read_all(int fd) {
  constexpr int kPatience = 5000;
  std::string result;
  std::array<char, 16384> buffer{};
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    expect(::poll(&ready, 1, kPatience) == 1, "the connection ends");
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) return result;
    result.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

/// Those before a request, which refuse_head() does not see, may end in LF alone; one that begins
/// with a zero byte is empty to libmicrohttpd.
void skip_empty_lines(std::string_view& bytes) {
  while (bytes.starts_with("\r\n") || bytes.starts_with('\n') || bytes.starts_with('\0')) {
    bytes.remove_prefix(std::min(bytes.find('\n'), bytes.size() - 1) + 1);
  }
}

/// A zero byte in the place of a CR: refuse_head() cannot see it.
std::string with_carriage_returns(std::string bytes) {
  constexpr std::string_view kEnd("\0\n", 2);
  for (std::size_t at = 0; (at = bytes.find(kEnd, at)) != std::string::npos; ++at) bytes[at] = '\r';
  return bytes;
}

std::string answers(std::string_view request) {
  static const Server server;
  const UniqueFd fd = server.connect();
  // What is refused may be answered and closed before all of it is sent.
  [[maybe_unused]] const ssize_t sent =
      ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  return read_all(fd.get());
}

void check_private(const HttpHead& request, std::string_view page) {
  const std::string host = request.one("host");
  expect(host.empty() || needs_no_dns(host), "no private page by a DNS name");
  for (const auto& [name, value] : request.headers) {
    expect(name != "forwarded" && !name.starts_with("x-forwarded-"),
           "no private page through a proxy");
  }
  if (page != "/-/reload" || request.all("origin").empty()) return;
  for (const std::string& origin : request.all("origin")) {
    expect(origin.empty() || to_lower(origin).ends_with("://" + to_lower(host)),
           "a reload comes from a page of the same origin");
  }
}

/// What got a page asked for it, and for nothing else.
void check_page(const HttpHead& request, std::string_view page) {
  const std::string path = request.second.substr(0, request.second.find('?'));
  expect_same(path, page, "a page is what was asked for");
  const bool reload = page == "/-/reload";
  expect(reload ? request.first == "POST" : request.first == "GET" || request.first == "HEAD",
         "a page has its method");
  if (reload || page == "/") check_private(request, page);
}

void check_head(const HttpHead& reply) {
  constexpr std::string_view kCodes = "200 400 403 404 405 413 414 431 501 505";
  expect(kCodes.find(reply.second) != std::string_view::npos,
         "a reply has a code that a client's mistake has");
  expect(reply.one("content-length").find_first_not_of("0123456789") == std::string::npos,
         "a length is a number");
}

/// @return the reply's body
std::string_view take_body(const HttpHead& reply, bool head_only, std::string_view& bytes) {
  const std::string length = reply.one("content-length");
  expect(!length.empty(), "a reply has a length");
  const std::size_t size = head_only ? 0 : std::stoul(length);
  expect(size <= bytes.size(), "a reply is whole");
  const std::string_view body = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return body;
}

}  // namespace

void web_request(std::string_view input) {
  // Ends what the input leaves open, and then the connection.
  const std::string sent = std::string(input) +
                           "\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: localhost\r\n"
                           "Connection: close\r\n\r\n";
  const std::string all = answers(sent);
  const std::string told = with_carriage_returns(sent);
  std::string_view bytes = told;
  std::string_view replies = all;
  while (!replies.empty()) {
    skip_empty_lines(bytes);
    const auto request = take_request(bytes);
    auto reply = take_response_head(replies);
    if (reply && reply->second == "100") {
      if (replies.empty()) return;  // libmicrohttpd gives up who sends more before it sees that
      reply = take_response_head(replies);
    }
    if (!reply) throw Broken("a reply has a proper head: " + show(all));
    check_head(*reply);
    if (!request) {
      expect(reply->second != "200", "what is no clear request brings no page");
      expect(reply->one("connection") == "close" || reply->first == "HTTP/1.0",
             "after what is no clear request the connection ends");
      return;
    }
    const std::string_view body = take_body(*reply, request->first == "HEAD", replies);
    if (reply->second != "200" || request->first == "HEAD") continue;
    const auto page = page_of_body().find(std::string(body));
    expect(page != page_of_body().end(), "a page is one of ours");
    check_page(*request, page->second);
  }
}

}  // namespace ua::fuzz
