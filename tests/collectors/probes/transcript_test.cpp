// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/transcript.h"

#include <algorithm>

#include "tests/catch.h"

namespace ua {
namespace {

constexpr Time kStart{1h};

TEST_CASE("each line has its time and who said it") {
  Transcript transcript(kStart);
  transcript.note(kStart + 120us, "connected to 10.0.0.5:80");
  transcript.sent_head(kStart + 1ms, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  transcript.received_head(kStart + 12ms, "HTTP/1.1 200 OK\r\n");
  transcript.received_bytes(kStart + 1s, "ok\n");
  transcript.sent_bytes(kStart + 2s, 7);
  CHECK(transcript.text() ==
        "     0.120 ms  * connected to 10.0.0.5:80\n"
        "     1.000 ms  > GET / HTTP/1.1\n"
        "     1.000 ms  > Host: a\n"
        "    12.000 ms  < HTTP/1.1 200 OK\n"
        "  1000.000 ms  < [3 bytes] ok\\x0a\n"
        "  2000.000 ms  > [7 bytes]\n");
}

TEST_CASE("what gives access is hidden, whoever sent it") {
  for (const char* name :
       {"Authorization", "proxy-authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Auth-Token",
        "x-amz-signature", "X-Session-Id", "X-Vault-Token", "Client-Secret", "X-Password"}) {
    CAPTURE(name);
    CHECK(hide_secrets(std::string(name) + ": s3cret; x") == std::string(name) + ": <secret>");
    CHECK(hide_secrets(std::string(name) + ":s3cret") == std::string(name) + ": <secret>");
  }
  CHECK(hide_secrets("GET /a?token=s3cret&b=?c HTTP/1.1") == "GET /a?... HTTP/1.1");
  CHECK(hide_secrets("GET http://a.test/?k=s3cret HTTP/1.1") == "GET http://a.test/?... HTTP/1.1");
  CHECK(hide_secrets("Location: https://u:s3cret@a.test/?k=s3cret").find("s3cret") ==
        std::string::npos);
  for (const char* where : {"/next?k=s3cret", "next?k=s3cret", "?k=s3cret"}) {
    CHECK(hide_secrets("Location: " + std::string(where)).find("s3cret") == std::string::npos);
  }
  CHECK(hide_secrets("Set-Cookie : s3cret") == "Set-Cookie: <secret>");
}

TEST_CASE("a header that goes out in pieces is no less hidden") {
  Transcript transcript(kStart);
  transcript.sent_head(kStart, "GET / HTTP/1.1\r\nCookie: abc");
  transcript.sent_head(kStart, "s3cret");
  transcript.sent_head(kStart + 1ms, "s3cret\r\nHost: a\r\n\r\n");
  CHECK(transcript.text() ==
        "     0.000 ms  > GET / HTTP/1.1\n"
        "     1.000 ms  > Cookie: <secret>\n"
        "     1.000 ms  > Host: a\n");
}

TEST_CASE("everything else is shown as it is") {
  for (const char* line : {"GET / HTTP/1.1", "HTTP/1.1 404 Not Found: a?b", "Host: a.test:8080",
                           "WWW-Authenticate: Basic realm=\"a\"", "Date: now", ": x", ""}) {
    CHECK(hide_secrets(line) == line);
  }
}

TEST_CASE("foreign bytes are escaped, long lines cut, and endless ones end") {
  Transcript transcript(kStart);
  transcript.received_head(kStart, "X: \x1b[31m" + std::string(10'000, 'x') + "\r\n");
  CHECK(transcript.text().find("X: \\x1b[31mxxx") != std::string::npos);
  CHECK(transcript.text().size() < 600);
  for (int i = 0; i < 5000; ++i) transcript.received_head(kStart, "A: b\r\n");
  CHECK(std::count(transcript.text().begin(), transcript.text().end(), '\n') == 1001);
  CHECK(transcript.text().ends_with("\n    ... and so on\n"));
}

}  // namespace
}  // namespace ua
