// SPDX-License-Identifier: Apache-2.0
#include "agent/web/request_head.h"

#include <algorithm>
#include <string>

#include "tests/catch.h"

namespace {

/// Takes a head apart as libmicrohttpd does: texts end at the first zero byte, and every separator
/// becomes one.
class Head {
 public:
  explicit Head(std::string_view sent) : bytes_(sent) {
    std::string_view rest = bytes_;
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    const std::size_t space = line.find(' ');
    const std::size_t uri = line.find_first_not_of(' ', space);
    const std::size_t version = line.rfind(' ') + 1;
    parts.method = text(line.substr(0, space));
    parts.uri = text(line.substr(uri, version - 1 - uri));
    parts.version = text(line.substr(version));
    bytes_[space] = '\0';
    take(rest, line.size());
    while (!rest.empty() && rest[0] != '\r' && rest[0] != '\n') header(rest);
    take(rest, 0);
    parts.end = rest.data();
  }

  ua::RequestHead parts;

 private:
  static std::string_view text(std::string_view bytes) { return bytes.substr(0, bytes.find('\0')); }
  static void take(std::string_view& rest, std::size_t size) {
    rest.remove_prefix(size);
    rest.remove_prefix(rest.starts_with("\r\n") ? 2 : 1);
  }
  void header(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    const std::size_t colon = line.find(':');
    const std::size_t value = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    parts.headers.emplace_back(line.substr(0, colon), text(line.substr(value)));
    take(rest, line.size());
  }

  std::string bytes_;
};

unsigned refusal(const ua::RequestHead& head) {
  const auto refused = ua::refuse_head(head);
  return refused ? refused->code : 0;
}
unsigned refusal(std::string_view sent) { return refusal(Head(sent).parts); }

}  // namespace

TEST_CASE("ordinary requests pass", "[web]") {
  using namespace std::string_view_literals;
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 0);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(refusal("POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == 0);
  CHECK(refusal(
            "GET  /x?a=1&b=%00  HTTP/1.1\r\nHost: a  \r\nX:\r\nY:\t\t\r\nCookie: c=d; e\r\n\r\n") ==
        0);
}

TEST_CASE("what a zero byte hides is found wherever it stands", "[web]") {
  using namespace std::string_view_literals;
  CHECK(refusal("GET\0 / HTTP/1.1\r\nHost: a\r\n\r\n"sv) == 400);
  CHECK(refusal("GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n"sv) == 400);
  CHECK(refusal("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv) == 400);
  CHECK(refusal("GET /?a\0b HTTP/1.1\r\nHost: a\r\n\r\n"sv) == 400);
  CHECK(refusal("GET / HTTP/1.1\0\r\nHost: a\r\n\r\n"sv) == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: \0a\r\n\r\n"sv) == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"sv) == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\0.b\r\nX: y\r\n\r\n"sv) == 400);
  CHECK(refusal("GET / HTTP/1.0\0\r\n\r\n"sv) == 400);
}

TEST_CASE("a line ends in CR LF and nothing else", "[web]") {
  CHECK(refusal("GET / HTTP/1.1\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\r\n") == 400);
  CHECK(refusal(ua::RequestHead{"GET", "/", "HTTP/1.1", {{"Host", "a\rX: b"}}, nullptr}) == 400);
}

TEST_CASE("a target ends at its first space", "[web]") {
  CHECK(refusal("GET /?a /b HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET /   HTTP/1.1\r\nHost: a\r\n\r\n") == 0);
}

TEST_CASE("methods and the names of headers are tokens", "[web]") {
  CHECK(refusal("X-!#$%&'*+-.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n") == 0);
  CHECK(refusal("G\xc5T / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nX-!#$%&'*+-.^_`|~: \xc3\xa4 (b)\r\n\r\n") == 0);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\n\x96ost: b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\n(X): b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n") == 400);
}

TEST_CASE("where the head is not as it was sent, only its texts count", "[web]") {
  ua::RequestHead head{"GET", "/", "HTTP/1.1", {{"Host", "a"}}, nullptr};
  CHECK(refusal(head) == 0);
  head.headers.emplace_back("HOST", "b");
  CHECK(refusal(head) == 400);
}

TEST_CASE("a request names one host", "[web]") {
  CHECK(refusal("GET / HTTP/1.1\r\nX: y\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n") == 400);
}

TEST_CASE("a request comes from one origin", "[web]") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n";
  CHECK(refusal(head + "\r\n") == 0);
  CHECK(refusal(head + "ORIGIN: http://b\r\n\r\n") == 400);
}

TEST_CASE("a request has one password", "[web]") {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n";
  CHECK(refusal(head + "\r\n") == 0);
  CHECK(refusal(head + "authorization: Basic YTpi\r\n\r\n") == 400);
}

TEST_CASE("a request has one length at the most, and no body", "[web]") {
  const std::string begin = "POST / HTTP/1.1\r\nHost: a\r\n";
  CHECK(refusal(begin + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(refusal(begin + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n") == 400);
  CHECK(refusal(begin + "Content-Length : 4\r\n\r\n") == 400);
  CHECK(refusal(begin + "Content-Length: 4\r\n\r\n") == 413);
  CHECK(refusal(begin + "content-length: 00\r\n\r\n") == 0);
  CHECK(refusal(begin + "Transfer-Encoding: chunked\r\n\r\n") == 413);
  CHECK(refusal(begin + "transfer-encoding: identity\r\n\r\n") == 413);
}
