// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_judge.h"

#include "tests/catch.h"

namespace ua {
namespace {

constexpr Time kNow{std::chrono::seconds(100)};

ProbeResult redirected(int status, const std::string& location, const HttpOptions& http,
                       const Target& from = *parse_target("http://a.example/x")) {
  HttpAnswer answer(1000, false);
  answer.take_header("HTTP/1.1 302 Found\r\n", kNow);
  answer.take_header("Location: " + location + "\r\n", kNow);
  HttpEvidence evidence;
  evidence.status = status;
  ProbeResult result;
  judge_answer(http, from, evidence, answer, result);
  return result;
}

HttpOptions following(std::string method, std::string body) {
  HttpOptions http;
  http.follow_redirects = true;
  http.method = std::move(method);
  http.body = std::move(body);
  return http;
}

TEST_CASE("a redirect makes a GET of the older codes, and repeats the request of the newer") {
  struct Row {
    const char* method;
    int status;
    bool as_get;
  };
  for (const Row& row : {Row{"GET", 301, false}, Row{"HEAD", 302, false}, Row{"POST", 301, true},
                         Row{"PUT", 302, true}, Row{"DELETE", 303, true}, Row{"POST", 307, false},
                         Row{"POST", 308, false}}) {
    INFO(row.method << ' ' << row.status);
    const ProbeResult result = redirected(row.status, "/y", following(row.method, ""));
    REQUIRE(result.follow);
    CHECK(result.follow->as_get == row.as_get);
  }
}

TEST_CASE("once a GET, it stays one") {
  const ProbeResult first = redirected(303, "/y", following("POST", "secret"));
  REQUIRE(first.follow);
  const ProbeResult second =
      redirected(307, "http://b.example/", following("POST", "secret"), *first.follow);
  REQUIRE(second.follow);
  CHECK(second.follow->as_get);
  CHECK(second.follow->foreign_origin);
}

TEST_CASE("a body does not follow to another server") {
  CHECK(redirected(307, "/y", following("POST", "secret")).follow);
  CHECK(redirected(307, "http://b.example/", following("POST", "")).follow);
  const ProbeResult result =
      redirected(308, "https://b.example/y?token=1", following("POST", "secret"));
  CHECK_FALSE(result.follow);
  CHECK(result.outcome.error == ErrorClass::content_mismatch);
  CHECK(result.outcome.detail == "redirect");
  CHECK(result.outcome.message ==
        "status 308 asks to send the request's body to another server, https://b.example/y");
}

}  // namespace
}  // namespace ua
