// SPDX-License-Identifier: Apache-2.0
#include "agent/outcome_json.h"

#include "collectors/core/text.h"

namespace ua {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxUrl = 2000;

ordered_json timings(const PhaseTimes& times) {
  ordered_json result = ordered_json::object();
  for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
    const auto phase = static_cast<TimedPhase>(i);
    if (const auto value = times.get(phase)) result[std::string(name(phase))] = to_seconds(*value);
  }
  return result;
}

ordered_json http_json(const HttpFacts& http) {
  return {{"status_code", http.status_code},
          {"version", http.version},
          {"body_bytes", http.body_bytes},
          {"redirects", http.redirects}};
}

ordered_json tls_json(const TlsFacts& tls) {
  ordered_json result{{"version", tls.version},   {"cipher", tls.cipher},
                      {"verified", tls.verified}, {"verify_error", escape_line(tls.verify_error)},
                      {"verify_code", nullptr},   {"ocsp", nullptr}};
  if (tls.verify_code >= 0) result["verify_code"] = tls.verify_code;
  if (!tls.ocsp.empty()) result["ocsp"] = tls.ocsp;
  if (!tls.certificate) return result;
  const Certificate& leaf = *tls.certificate;
  result["subject"] = escape_line(leaf.subject);
  result["issuer"] = escape_line(leaf.issuer);
  result["names"] = ordered_json::array();
  for (const std::string& name : leaf.names) result["names"].push_back(escape_line(name));
  result["fingerprint_sha256"] = leaf.fingerprint_sha256;
  result["not_before_timestamp"] = to_seconds(leaf.not_before);
  result["not_after_timestamp"] = to_seconds(leaf.not_after);
  result["chain_not_after_timestamp"] = to_seconds(tls.chain_not_after.value_or(leaf.not_after));
  return result;
}

}  // namespace

ordered_json outcome_json(const Outcome& outcome) {
  ordered_json json{{"success", outcome.success()},
                    {"error_class", name(outcome.error)},
                    {"code", static_cast<unsigned>(outcome.error)},
                    {"phase", nullptr},
                    {"detail", escape_line(outcome.detail)},
                    {"message", escape_line(outcome.message)},
                    {"address", outcome.address},
                    {"addresses", outcome.addresses},
                    {"redirected_to", escape_line(outcome.redirected_to, kMaxUrl)},
                    {"proxy", escape_line(outcome.proxy, kMaxUrl)},
                    {"proxy_failed", outcome.proxy_failed},
                    {"timings", timings(outcome.times)},
                    {"http", nullptr},
                    {"tls", nullptr}};
  if (outcome.error != ErrorClass::none) json["phase"] = name(info(outcome.error).phase);
  if (outcome.http) json["http"] = http_json(*outcome.http);
  if (outcome.tls) json["tls"] = tls_json(*outcome.tls);
  return json;
}

std::string dump_json(const ordered_json& json) {
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace ua
