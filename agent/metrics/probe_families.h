// SPDX-License-Identifier: Apache-2.0
// The families of the probe series: names, help texts, fixed labels, and which error counters are
// there from the start. Constant tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "collectors/core/error_class.h"
#include "collectors/core/outcome.h"
#include "collectors/probes/probe_types.h"

namespace ua {

/// Gauges with one value a row, in the order in which they are rendered.
enum class ProbeGauge : std::uint8_t {
  success,
  up,
  result_code,
  state_change,
  last_success,
  last_run,
  interval,
  http_status,
  http_version,
  response_bytes,
  redirects,
  tls_not_after,
  tls_verified,
  addresses,
};
inline constexpr std::size_t kProbeGaugeCount = 14;

struct FamilyText {
  std::string_view name;
  std::string_view help;
};

const FamilyText& family_text(ProbeGauge gauge);

inline constexpr FamilyText kInfoFamily{
    "upstream_info", "What is configured for a target: probe type, service, labels. Always 1."};
inline constexpr FamilyText kAttemptsFamily{"upstream_probe_attempts_total",
                                            "Probes that ended, whatever their result."};
inline constexpr FamilyText kErrorsFamily{
    "upstream_probe_errors_total",
    "Probes that failed or were slow, by the phase and the class of the failure."};
inline constexpr FamilyText kDurationFamily{"upstream_probe_duration_seconds",
                                            "How long the phases of probes took."};
inline constexpr FamilyText kLastDurationFamily{
    "upstream_probe_last_duration_seconds",
    "How long each phase took in the last probe; absent for a phase it did not reach."};
inline constexpr FamilyText kTlsInfoFamily{
    "upstream_probe_tls_info",
    "Protocol and certificate seen last, whether or not they were trusted. Always 1."};

/// What decides which series a row has.
struct ProbeKind {
  bool http = false;
  bool tls = false;
  bool unix_socket = false;
  /// Their counters start at 0 with the target, since increase() misses the first failure on a
  /// counter born at 1.
  CommonClasses born{};
};
/// @param target the label text, a URL
ProbeKind probe_kind(std::string_view target);

/// Three families and the duration of the handshake; an http target may come to them by a redirect.
inline constexpr std::uint64_t kTlsSeries = 4;

/// The series that a row of this kind can have, without the error classes that come to it later. It
/// counts with all of them from the start, so that a row once admitted is shown whole.
std::uint64_t series_of_row(const ProbeKind& kind, const MetricsConfig& config);

/// What a series takes on a page beside the labels of its row: more than the average of any row.
inline constexpr std::uint64_t kBytesBesideRowLabels = 112;

/// `phase="connect",error_class="connect_refused"`
const std::string& error_labels(ErrorClass error_class);
/// `phase="total"`
const std::string& phase_label(TimedPhase phase);

}  // namespace ua
