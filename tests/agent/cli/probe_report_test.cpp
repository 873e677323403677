// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/probe_report.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

namespace ua {
namespace {

const WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

Target target() { return parse_target("https://app.example/health?token=secret").value(); }

ProbeJob job() {
  ProbeJob made;
  made.target.target = target();
  return made;
}

Outcome expired() {
  Outcome outcome;
  outcome.error = ErrorClass::tls_cert_expired;
  outcome.detail = "x509_10";
  outcome.message = "certificate \x1b[31mexpired\xff";
  outcome.address = "192.0.2.1:443";
  outcome.addresses = 2;
  outcome.times.set(TimedPhase::connect, 10ms);
  outcome.times.set(TimedPhase::total, 20ms);
  outcome.tls.emplace();
  outcome.tls->version = "TLSv1.3";
  outcome.tls->cipher = "TLS_AES_256_GCM_SHA384";
  outcome.tls->verify_error = "certificate has expired";
  outcome.tls->certificate.emplace();
  outcome.tls->certificate->subject = "CN = \u202eapp";
  outcome.tls->certificate->issuer = "CN = L\u00e4b";
  outcome.tls->certificate->names = {"app.example"};
  outcome.tls->certificate->not_before = kNow - std::chrono::days{90};
  outcome.tls->certificate->not_after = kNow - std::chrono::hours{36};
  return outcome;
}

TEST_CASE("the report has verdict, cause, command and facts, with foreign bytes escaped") {
  const std::string text = report_text(job(), expired(), kNow, false);
  INFO(text);
  CHECK(text.starts_with(
      "DOWN  https://app.example/health  tls_cert_expired (phase tls)\n  connect          |"));
  for (const char* line : {
           "\n  what was seen  the certificate is past its end or not yet valid\n",
           "\n  first check    the certificate's dates, the renewal job, this machine's clock\n",
           "\n  detail         x509_10\n",
           "\n  message        certificate \\x1b[31mexpired\\xff\n",
           "\n  address        192.0.2.1:443 (the name has 2)\n",
           "\n  tls            TLSv1.3, TLS_AES_256_GCM_SHA384\n",
           "\n  verified       no: certificate has expired\n",
           "\n  certificate    CN = \\xe2\\x80\\xaeapp\n",
           "\n  expires        2026-02-27, 2 days ago\n",
       }) {
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(text.find("secret") == std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("long prose is broken between words, a command never") {
  Outcome outcome;
  outcome.error = ErrorClass::tls_cert_expired;
  const std::string text = report_text(job(), outcome, kNow, false);
  INFO(text);
  CHECK(text.find("server was not reloaded after it, or a\n                 clock is wrong.\n") !=
        std::string::npos);
  CHECK(text.find("| grep -E 'Subject:|Not (Before|After)'; timedatectl\n") != std::string::npos);
}

TEST_CASE("each verdict has its word, and colour only where it is wanted") {
  const auto first_word = [](ErrorClass error, bool colour) {
    Outcome outcome;
    outcome.error = error;
    const std::string text = report_text(job(), outcome, kNow, colour);
    return text.substr(0, text.find("  "));
  };
  CHECK(first_word(ErrorClass::none, false) == "UP");
  CHECK(first_word(ErrorClass::slow_response, false) == "DEGRADED");
  CHECK(first_word(ErrorClass::local_resources_exhausted, false) == "UNKNOWN");
  CHECK(first_word(ErrorClass::http_5xx, false) == "DOWN");
  CHECK(first_word(ErrorClass::none, true) == "\x1b[1;32mUP\x1b[0m");
}

TEST_CASE("a line has the time, the verdict, and why") {
  Outcome well;
  well.address = "192.0.2.1:443";
  well.times.set(TimedPhase::total, 12ms);
  CHECK(report_line(target(), well, kNow, false) ==
        "2026-03-01T00:00:00Z  UP  https://app.example/health (192.0.2.1:443)  12 ms");
  Outcome failed;
  failed.error = ErrorClass::connect_refused;
  failed.detail = "errno_111\n";
  CHECK(report_line(target(), failed, kNow, true) ==
        "2026-03-01T00:00:00Z  \x1b[1;31mDOWN\x1b[0m  https://app.example/health  connect_refused"
        "  errno_111\\x0a");
}

TEST_CASE("the JSON is one ASCII line with every key, also when all is well") {
  const auto keys = [](const nlohmann::json& json) {
    std::string result;
    for (const auto& [key, value] : json.items()) result += key + ' ';
    return result;
  };
  Outcome well;
  well.times.set(TimedPhase::total, 1500ms);
  well.http = HttpFacts{204, 1.1, 0, 1};
  const std::string line = report_json(job(), well, WallTime(5s));
  const auto json = nlohmann::json::parse(line);
  CHECK(json["target"] == "https://app.example/health");
  CHECK(json["timestamp"] == 5.0);
  CHECK(json["success"] == true);
  CHECK(json["error_class"] == "none");
  CHECK(json["code"] == 0);
  for (const char* key : {"phase", "tls", "likely_cause", "first_check", "command"}) {
    CHECK(json.at(key).is_null());
  }
  CHECK(json["timings"] == nlohmann::json{{"total", 1.5}});
  CHECK(json["http"]["status_code"] == 204);

  const std::string failed_line = report_json(job(), expired(), WallTime(5s));
  const auto failed = nlohmann::json::parse(failed_line);
  CHECK(keys(failed) == keys(json));
  CHECK(failed["error_class"] == "tls_cert_expired");
  CHECK(failed["phase"] == "tls");
  CHECK(failed["http"].is_null());
  CHECK(failed["tls"]["not_after_timestamp"] == 1772193600);
  CHECK(failed["message"] == "certificate \\x1b[31mexpired\\xff");
  CHECK(std::all_of(failed_line.begin(), failed_line.end(),
                    [](char c) { return c >= 0x20 && c < 0x7f; }));
}

}  // namespace
}  // namespace ua
