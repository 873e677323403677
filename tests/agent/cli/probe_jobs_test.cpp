// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/probe_jobs.h"

#include "collectors/probes/probe_types.h"
#include "tests/catch.h"

namespace ua {
namespace {

std::vector<UpstreamConfig> known() {
  UpstreamConfig checkout;
  checkout.name = "checkout";
  checkout.service = "checkout.service";
  checkout.run.timeout = 2s;
  for (const char* url : {"http://10.0.0.5:8080/", "tcp://10.0.0.6:5432"}) {
    checkout.targets.push_back(TargetConfig{parse_target(url).value(), "", nullptr});
  }
  return {checkout};
}

TEST_CASE("a URL is probed with default options") {
  const auto jobs = jobs_for("http://127.0.0.1:8080/x", known());
  REQUIRE(jobs);
  REQUIRE(jobs->size() == 1);
  CHECK(jobs->front().target.type == "http");
  CHECK(jobs->front().target.make != nullptr);
  CHECK(jobs->front().run.timeout == 5s);
  CHECK(jobs_for("TCP://127.0.0.1:1", {})->front().target.type == "tcp");
}

TEST_CASE("a known name is probed with its targets and its own options") {
  const auto jobs = jobs_for("checkout", known());
  REQUIRE(jobs);
  REQUIRE(jobs->size() == 2);
  CHECK(jobs->at(1).target.target.label == "tcp://10.0.0.6:5432");
  CHECK(jobs->at(1).run.timeout == 2s);
  CHECK(jobs->at(1).service == "checkout.service");
}

TEST_CASE("what cannot be probed says what to write") {
  const auto message = [](const char* word) { return jobs_for(word, known()).error().message; };
  const std::string end = "; the schemes are " + known_schemes();
  const std::string neither = "' is neither a URL nor the name of a known upstream";
  CHECK(message("chekout") == "'chekout" + neither + "; did you mean 'checkout'?");
  CHECK(message("example.org") ==
        "'example.org" + neither + ". Write http://example.org or tcp://example.org:PORT" + end);
  CHECK(message("127.0.0.1:80/x") ==
        "'127.0.0.1:80/x" + neither + ". Write http://127.0.0.1:80/x or tcp://127.0.0.1:80" + end);
  CHECK(message("::1") == "'::1" + neither + ". Write http://[::1] or tcp://[::1]:PORT" + end);
  CHECK(message("/run/a.sock") ==
        "'/run/a.sock" + neither + ". Write http+unix:///run/a.sock:/ or tcp+unix:///run/a.sock" +
            end);
  CHECK(message("ftp://a/") == "no probe for 'ftp://'; there are " + known_schemes());
  CHECK(message("\x1b[31m").find('\x1b') == std::string::npos);
  CHECK(message("http://u:p@a/").find("credentials") != std::string::npos);
}

}  // namespace
}  // namespace ua
