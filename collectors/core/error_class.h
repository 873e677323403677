// SPDX-License-Identifier: Apache-2.0
// The closed list of ways an upstream fails, and all that is said about each: the single source for
// metrics labels, documentation, dashboards, the status page and `explain`. A class's code is
// stable for ever; its phase follows from it. Adding a class is a change of the schema.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ua {

/// The value is the stable code of `upstream_probe_result_code`; the enumerator is the label text.
enum class ErrorClass : std::uint8_t {
  none = 0,
  config_invalid = 1,
  local_resources_exhausted = 2,
  permission_denied = 3,
  dns_not_found = 4,
  dns_timeout = 5,
  dns_failed = 6,
  connect_refused = 7,
  connect_firewall_rejected = 8,
  connect_timeout = 9,
  listen_queue_full = 10,
  unreachable = 11,
  tls_timeout = 12,
  tls_handshake_failed = 13,
  tls_cert_expired = 14,
  tls_cert_name_mismatch = 15,
  tls_cert_untrusted = 16,
  tls_client_cert_required = 17,
  request_unacked = 18,
  response_timeout = 19,
  closed_before_headers = 20,
  reset_before_headers = 21,
  invalid_response = 22,
  headers_too_large = 23,
  body_truncated = 24,
  body_timeout = 25,
  http_4xx = 26,
  http_5xx = 27,
  http_503 = 28,
  http_gateway_error = 29,
  rate_limited = 30,
  content_mismatch = 31,
  slow_response = 32,
  protocol_mismatch = 33,
  http2_error = 34,
  grpc_not_serving = 35,
  grpc_error = 36,
  no_live_upstream = 37,
  pool_exhausted = 38,
  worker_crashed = 39,
  worker_timeout = 40,
  unknown = 41,
};

inline constexpr std::size_t kErrorClassCount = 41;  ///< without `none`

enum class Phase : std::uint8_t {
  local,
  dns,
  connect,
  tls,
  request,
  response_headers,
  response_body,
  http_status,
  content,
  protocol,
  pool,
  unknown,
};

/// Whether a client or proxy may send the request again on another server.
enum class Retry : std::uint8_t {
  any,         ///< the request cannot have been processed
  idempotent,  ///< only a safe or idempotent method, once
  no,          ///< it would fail again, or be done twice
  never,       ///< the server asked for less: a retry makes it worse
};

struct ErrorClassInfo {
  ErrorClass error_class;
  std::string_view name;  ///< label text, stable
  Phase phase;
  Retry retry;
  std::string_view meaning;       ///< what was observed, one clause
  std::string_view likely_cause;  ///< one sentence for an operator
  std::string_view first_check;   ///< the first place to look
  /// The exact command. `{host}`, `{port}`, `{address}`, `{path}`, `{url}` and `{service}` stand
  /// for the target's own; see fill_command().
  std::string_view command;

  constexpr unsigned code() const { return static_cast<unsigned>(error_class); }
};

/// All 41 classes in code order: `catalogue()[i].code() == i + 1`.
std::span<const ErrorClassInfo, kErrorClassCount> catalogue();

/// @param error_class any class but `none`
const ErrorClassInfo& info(ErrorClass error_class);

std::string_view name(ErrorClass error_class);  ///< "none" for `none`
std::string_view name(Phase phase);
std::string_view name(Retry retry);
/// @param error_class any class but `none`
Phase phase_of(ErrorClass error_class);
/// nullopt for a text that is no class ("none" included).
std::optional<ErrorClass> error_class_from_name(std::string_view text);

}  // namespace ua
