// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/probe_families.h"

#include <set>

#include "agent/exposition/escape.h"
#include "collectors/core/text.h"

namespace ua {

const FamilyText& family_text(ProbeGauge gauge) {
  static constexpr std::array<FamilyText, kProbeGaugeCount> kTexts{{
      {"upstream_probe_success", "Whether the last probe succeeded, a slow answer included."},
      {"upstream_up",
       "Whether the target is up after rise and fall; absent until the first verdict."},
      {"upstream_probe_result_code",
       "Code of the last probe's error class; 0: none. The codes are stable."},
      {"upstream_probe_state_change_timestamp_seconds",
       "When the result last changed between success and failure."},
      {"upstream_probe_last_success_timestamp_seconds", "When a probe last succeeded."},
      {"upstream_probe_last_run_timestamp_seconds", "When the last probe ended."},
      {"upstream_probe_interval_seconds", "Time between two probes as configured."},
      {"upstream_probe_http_status_code", "Status code of the last response."},
      {"upstream_probe_http_version", "HTTP version of the last response."},
      {"upstream_probe_response_bytes", "Body bytes received of the last response."},
      {"upstream_probe_redirects", "Redirects that the last probe followed."},
      {"upstream_probe_tls_cert_not_after_timestamp_seconds",
       "When the first certificate of the chain expires, as seen last."},
      {"upstream_probe_tls_verified",
       "Whether the last handshake's certificate was valid for the name; absent without one."},
      {"upstream_probe_addresses", "Addresses that the name resolved to."},
  }};
  return kTexts[static_cast<std::size_t>(gauge)];
}

ProbeKind probe_kind(std::string_view target) {
  const std::string scheme = to_lower(target.substr(0, target.find("://")));
  const Scheme* known = find_scheme(scheme);
  if (known == nullptr) known = find_scheme("tcp");
  return {.http = known->has_status,
          .tls = known->tls,
          .unix_socket = scheme.ends_with("+unix"),
          .born = known->common_classes};
}

std::uint64_t series_of_row(const ProbeKind& kind, const MetricsConfig& config) {
  constexpr std::uint64_t kHttpSeries = 4;
  constexpr std::uint64_t kHttpPhases = 3;
  const std::set<TimedPhase> histograms(config.histogram_phases.begin(),
                                        config.histogram_phases.end());
  // success, up, info, result_code, attempts, four timestamps and intervals
  std::uint64_t count = 9 + kCommonClasses;
  count += histograms.size() * (config.buckets.size() + 3);
  count += kind.unix_socket ? 0 : 2;  // addresses, duration of dns
  count += 2;                         // duration of connect and total
  count += kind.http ? kHttpPhases + kHttpSeries : 0;
  count += kind.tls ? kTlsSeries : 0;
  return count;
}

const std::string& error_labels(ErrorClass error_class) {
  static const auto texts = [] {
    std::array<std::string, kErrorClassCount> result;
    for (const ErrorClassInfo& row : catalogue()) {
      LabelBlock block;
      block.add("phase", name(row.phase));
      block.add("error_class", row.name);
      result[row.code() - 1] = block.text();
    }
    return result;
  }();
  return texts[info(error_class).code() - 1];
}

const std::string& phase_label(TimedPhase phase) {
  static const auto texts = [] {
    std::array<std::string, kTimedPhaseCount> result;
    for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
      LabelBlock block;
      block.add("phase", name(static_cast<TimedPhase>(i)));
      result[i] = block.text();
    }
    return result;
  }();
  return texts[static_cast<std::size_t>(phase)];
}

}  // namespace ua
