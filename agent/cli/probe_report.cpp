// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/probe_report.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "agent/cli/waterfall.h"
#include "agent/diagnosis/first_check.h"
#include "agent/outcome_json.h"
#include "agent/show_time.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLabelWidth = 15;
constexpr std::size_t kTextWidth = 80 - 2 - kLabelWidth;
constexpr std::size_t kMaxLine = 2000;

std::string date(WallTime time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return buffer.data();
}

/// One line, however long: commands and foreign texts are copied whole.
std::string field(std::string_view label, std::string_view value) {
  std::string result = "  " + std::string(label);
  result.append(kLabelWidth - label.size(), ' ');
  return result + escape_line(value, kMaxLine) + '\n';
}

/// Broken between words.
std::string prose(std::string_view label, std::string_view text) {
  std::string result;
  while (text.size() > kTextWidth) {
    const std::size_t space = text.rfind(' ', kTextWidth);
    if (space == std::string_view::npos) break;
    result += field(label, text.substr(0, space));
    text.remove_prefix(space + 1);
    label = "";
  }
  return result + field(label, text);
}

struct Judgement {
  std::string_view word;
  const char* colour;  // SGR parameters
};

Judgement judge(const Outcome& outcome) {
  if (outcome.error == ErrorClass::none) return {"UP", "1;32"};
  if (outcome.error == ErrorClass::slow_response) return {"DEGRADED", "1;33"};
  if (phase_of(outcome.error) == Phase::local) return {"UNKNOWN", "1;33"};
  return {"DOWN", "1;31"};
}

std::string verdict(const Outcome& outcome, bool colour) {
  const Judgement judgement = judge(outcome);
  if (!colour) return std::string(judgement.word);
  return "\x1b[" + std::string(judgement.colour) + 'm' + std::string(judgement.word) + "\x1b[0m";
}

std::string headline(const Target& target, const Outcome& outcome, bool colour) {
  std::string result = verdict(outcome, colour);
  result += "  " + escape_line(target.label, kMaxLine);
  if (outcome.error == ErrorClass::none) return result + '\n';
  const ErrorClassInfo& row = info(outcome.error);
  return result + "  " + std::string(row.name) + " (phase " + std::string(name(row.phase)) + ")\n";
}

std::string command(const ProbeJob& job, const Outcome& outcome) {
  return fill_command(info(outcome.error), job.target.target, job.service, outcome,
                      {job.run.socket.get(), job.target.flags.get(), job.upstream});
}

std::string advice(const ProbeJob& job, const Outcome& outcome) {
  const ErrorClassInfo& row = info(outcome.error);
  std::string result = prose("what was seen", row.meaning);
  if (row.phase == Phase::local) {
    result += prose("note", "the trouble is on this machine; it says nothing about the upstream");
  }
  return result + prose("likely cause", row.likely_cause) + prose("first check", row.first_check) +
         field("command", command(job, outcome));
}

std::string http_line(const HttpFacts& http) {
  std::string result = "status " + std::to_string(http.status_code);
  if (http.version >= 2) result += ", HTTP/2";
  if (http.version > 0 && http.version < 2)
    result += http.version < 1.05 ? ", HTTP/1.0" : ", HTTP/1.1";
  result += ", " + std::to_string(http.body_bytes) + " bytes of body";
  if (http.redirects > 0) result += ", redirects followed: " + std::to_string(http.redirects);
  return field("http", result);
}

std::string expiry(WallTime not_after, WallTime now) {
  const auto days = std::chrono::floor<std::chrono::days>(not_after - now).count();
  if (not_after <= now) return date(not_after) + ", " + std::to_string(-days) + " days ago";
  return date(not_after) + ", in " + std::to_string(days) + " days";
}

std::string tls_lines(const TlsFacts& tls, WallTime now) {
  std::string result;
  if (!tls.version.empty()) result += field("tls", tls.version + ", " + tls.cipher);
  const std::string why = tls.verify_error.empty() ? "" : ": " + tls.verify_error;
  result += field("verified", tls.verified ? "yes" : "no" + why);
  if (!tls.ocsp.empty() && tls.ocsp != "absent") result += field("ocsp staple", tls.ocsp);
  if (tls.certificate) {
    result += field("certificate", tls.certificate->subject);
    result += field("issuer", tls.certificate->issuer);
    if (tls.certificate->not_before > now) {
      result += field("valid from", date(tls.certificate->not_before));
    }
    result += field("expires", expiry(tls.certificate->not_after, now));
    if (tls.chain_not_after && *tls.chain_not_after < tls.certificate->not_after) {
      result += field("chain until", expiry(*tls.chain_not_after, now) + " (one above it)");
    }
  }
  return result;
}

}  // namespace

std::string report_text(const ProbeJob& job, const Outcome& outcome, WallTime now, bool colour,
                        std::string_view second_look) {
  std::string result = headline(job.target.target, outcome, colour) + waterfall(outcome);
  if (outcome.error != ErrorClass::none) result += advice(job, outcome);
  if (!second_look.empty()) result += prose("second look", second_look);
  if (!outcome.detail.empty()) result += field("detail", outcome.detail);
  if (!outcome.message.empty()) result += field("message", outcome.message);
  if (!outcome.redirected_to.empty()) {
    result += field("redirected to", outcome.redirected_to);
  }
  if (!outcome.proxy.empty()) {
    result += field("proxy", outcome.proxy + (outcome.proxy_failed ? " (it failed)" : ""));
  }
  if (!outcome.address.empty()) {
    const std::string of =
        outcome.addresses > 1 ? " (the name has " + std::to_string(outcome.addresses) + ")" : "";
    result += field("address", outcome.address + of);
  }
  if (outcome.http) result += http_line(*outcome.http);
  if (outcome.tls) result += tls_lines(*outcome.tls, now);
  return result;
}

std::string report_json(const ProbeJob& job, const Outcome& outcome, WallTime now,
                        std::string_view second_look) {
  ordered_json json{{"target", job.target.target.label}, {"timestamp", to_seconds(now)}};
  json.update(outcome_json(outcome));
  json.update({{"likely_cause", nullptr},
               {"first_check", nullptr},
               {"command", nullptr},
               {"second_look", nullptr}});
  if (!second_look.empty()) json["second_look"] = second_look;
  if (outcome.error != ErrorClass::none) {
    const ErrorClassInfo& row = info(outcome.error);
    json["likely_cause"] = row.likely_cause;
    json["first_check"] = row.first_check;
    json["command"] = command(job, outcome);
  }
  return dump_json(json);
}

std::string report_line(const Target& target, const Outcome& outcome, WallTime now, bool colour) {
  std::string result =
      iso_date(now) + "  " + verdict(outcome, colour) + "  " + escape_line(target.label, kMaxLine);
  if (!outcome.address.empty() && outcome.address != target.label) {
    result += " (" + outcome.address + ')';
  }
  if (outcome.error != ErrorClass::none) result += "  " + std::string(name(outcome.error));
  if (const auto total = outcome.times.get(TimedPhase::total)) result += "  " + show_brief(*total);
  if (!outcome.detail.empty()) result += "  " + escape_line(outcome.detail);
  return result;
}

}  // namespace ua
