// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/cli/cli.h"
#include "agent/diagnosis/first_check.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kBarWidth = 40;

std::string date(WallTime time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return buffer.data();
}

std::string line(std::string_view label, const std::string& value) {
  std::string result = "  ";
  result += label;
  result.append(label.size() < 15 ? 15 - label.size() : 1, ' ');
  return result + escape_line(value, 1000) + '\n';
}

/// Bars that start where the phase before ended, scaled to the total.
std::string waterfall(const PhaseTimes& times) {
  const auto total = times.get(TimedPhase::total);
  if (!total || *total <= Duration::zero()) return {};
  std::string result;
  Duration begin{0};
  for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    const auto value = times.get(phase);
    if (!value) continue;
    if (phase == TimedPhase::total) begin = Duration::zero();
    const auto column = [&](Duration at) {
      return std::min(kBarWidth, static_cast<std::size_t>(to_seconds(at) / to_seconds(*total) *
                                                          static_cast<double>(kBarWidth)));
    };
    const std::size_t from = std::min(column(begin), kBarWidth - 1);
    const std::size_t to = std::max(column(begin + *value), from + 1);
    std::string bar(from, ' ');
    bar.append(to - from, '=');
    bar.resize(kBarWidth, ' ');
    std::array<char, 128> row{};
    std::snprintf(row.data(), row.size(), "  %-17s|%s| %10.3f ms\n",
                  std::string(name(phase)).c_str(), bar.c_str(), to_seconds(*value) * 1000);
    result += row.data();
    begin += *value;
  }
  return result;
}

std::string verdict(const Outcome& outcome, bool colour) {
  const std::string_view word = outcome.error == ErrorClass::none            ? "UP"
                                : outcome.error == ErrorClass::slow_response ? "UP, SLOW"
                                                                             : "DOWN";
  if (!colour) return std::string(word);
  const char* code = outcome.success() ? "\x1b[32m" : "\x1b[31m";
  return code + std::string(word) + "\x1b[0m";
}

std::string tls_lines(const TlsFacts& tls, WallTime now) {
  std::string result;
  if (!tls.version.empty()) result += line("tls", tls.version + ' ' + tls.cipher);
  if (tls.certificate) {
    const Certificate& leaf = *tls.certificate;
    result += line("certificate", leaf.subject + ", issued by " + leaf.issuer);
    result += line("expires", date(leaf.not_after) + ", in " +
                                  std::to_string((leaf.not_after - now) / 24h) + " days");
  }
  result +=
      line("verified",
           tls.verified ? "yes" : (tls.verify_error.empty() ? "no" : "no: " + tls.verify_error));
  return result;
}

}  // namespace

std::string outcome_text(const Target& target, const Outcome& outcome, const std::string& service,
                         WallTime now, bool colour) {
  std::string result = escape_line(target.label) + "  " + verdict(outcome, colour);
  if (outcome.error != ErrorClass::none) {
    const ErrorClassInfo& row = info(outcome.error);
    result += "  " + std::string(row.name) + " (phase " + std::string(name(row.phase)) + ")";
    result += '\n' + line("what was seen", std::string(row.meaning));
    result += line("likely cause", std::string(row.likely_cause));
    result += line("first check", std::string(row.first_check));
    result += line("command", fill_command(row, target, service));
  } else {
    result += '\n';
  }
  if (!outcome.detail.empty()) result += line("detail", outcome.detail);
  if (!outcome.message.empty()) result += line("message", outcome.message);
  if (!outcome.address.empty()) {
    const std::string more =
        outcome.addresses > 1 ? " (one of " + std::to_string(outcome.addresses) + ")" : "";
    result += line("address", outcome.address + more);
  }
  if (outcome.http) {
    result += line("http", std::to_string(outcome.http->status_code) + ", " +
                               std::to_string(outcome.http->body_bytes) + " bytes of body");
  }
  if (outcome.tls) result += tls_lines(*outcome.tls, now);
  return result + waterfall(outcome.times);
}

std::string outcome_json(const Target& target, const Outcome& outcome, const std::string& service) {
  using nlohmann::ordered_json;
  const bool failed = outcome.error != ErrorClass::none;
  ordered_json timings = ordered_json::object();
  for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    if (const auto value = outcome.times.get(phase)) {
      timings[std::string(name(phase))] = to_seconds(*value);
    }
  }
  ordered_json json{{"target", target.label},
                    {"success", outcome.success()},
                    {"error_class", name(outcome.error)},
                    {"code", static_cast<unsigned>(outcome.error)},
                    {"phase", nullptr},
                    {"detail", outcome.detail},
                    {"message", escape_line(outcome.message)},
                    {"address", outcome.address},
                    {"addresses", outcome.addresses},
                    {"timings", std::move(timings)},
                    {"http", nullptr},
                    {"tls", nullptr}};
  if (outcome.http) {
    json["http"] = {{"status_code", outcome.http->status_code},
                    {"version", outcome.http->version},
                    {"body_bytes", outcome.http->body_bytes},
                    {"redirects", outcome.http->redirects}};
  }
  if (outcome.tls) {
    const TlsFacts& tls = *outcome.tls;
    json["tls"] = {{"version", tls.version},
                   {"cipher", tls.cipher},
                   {"verified", tls.verified},
                   {"verify_error", escape_line(tls.verify_error)}};
    if (tls.certificate) {
      json["tls"]["subject"] = escape_line(tls.certificate->subject);
      json["tls"]["issuer"] = escape_line(tls.certificate->issuer);
      json["tls"]["fingerprint_sha256"] = tls.certificate->fingerprint_sha256;
      json["tls"]["not_after_timestamp"] = to_seconds(tls.certificate->not_after);
    }
  }
  if (failed) {
    const ErrorClassInfo& row = info(outcome.error);
    json["phase"] = name(row.phase);
    json["likely_cause"] = row.likely_cause;
    json["first_check"] = row.first_check;
    json["command"] = fill_command(row, target, service);
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ua
