// SPDX-License-Identifier: Apache-2.0
// What one probe of one address found out. A value: copied freely between threads, never thrown.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/core/error_class.h"
#include "collectors/core/time.h"

namespace ua {

/// The timed parts of a probe, in order; `total` spans all of them. The enumerator is the label.
enum class TimedPhase : std::uint8_t {
  dns,
  connect,
  tls,
  request,
  response_headers,
  response_body,
  total,
};
inline constexpr std::size_t kTimedPhaseCount = 7;
std::string_view name(TimedPhase phase);

/// How long each phase took. A phase that was not reached, or that did not finish, has no value.
class PhaseTimes {
 public:
  void set(TimedPhase phase, Duration value) { slot(phase) = value; }
  /// Adds to what is there: a redirect passes the same phase again.
  void add(TimedPhase phase, Duration value) {
    slot(phase) = slot(phase) == kUnset ? value : slot(phase) + value;
  }
  void clear(TimedPhase phase) { slot(phase) = kUnset; }
  std::optional<Duration> get(TimedPhase phase) const {
    const Duration value = values_[static_cast<std::size_t>(phase)];
    return value == kUnset ? std::nullopt : std::optional(value);
  }

 private:
  static constexpr Duration kUnset{-1};
  Duration& slot(TimedPhase phase) { return values_[static_cast<std::size_t>(phase)]; }
  std::array<Duration, kTimedPhaseCount> values_{kUnset, kUnset, kUnset, kUnset,
                                                 kUnset, kUnset, kUnset};
};

struct HttpFacts {
  int status_code = 0;           ///< of the last response; 0 where no status line was read
  double version = 0;            ///< 1.0, 1.1, 2; 0 where unknown
  std::uint64_t body_bytes = 0;  ///< received, of the last response
  unsigned redirects = 0;        ///< followed
};

struct Certificate {
  std::string subject;  ///< RFC 2253-like text as libcurl gives it
  std::string issuer;
  std::string fingerprint_sha256;  ///< 64 lower-case hex digits
  std::vector<std::string> names;  ///< subject alternative names, DNS and IP
  WallTime not_before;
  WallTime not_after;
};

struct TlsFacts {
  std::string version;  ///< "TLSv1.3"; empty where no handshake finished
  std::string cipher;
  bool verified = false;     ///< chain and name
  std::string verify_error;  ///< why not, empty where verified
  int verify_code = -1;      ///< X509_V_* of OpenSSL, 0: verified; -1: not known
  std::string ocsp;  ///< stapled: absent good revoked unknown expired invalid; empty: not known
  std::optional<Certificate> certificate;   ///< the leaf
  std::optional<WallTime> chain_not_after;  ///< the earliest expiry in the chain
  bool from_second_handshake = false;       ///< facts fetched after the verdict, unverified
};

struct Outcome {
  ErrorClass error = ErrorClass::none;
  std::string detail;   ///< bounded tokens, comma separated ("errno_111", "icmp_3_13"); no label
  std::string message;  ///< text for people; may hold untrusted bytes: escape it on output
  PhaseTimes times;
  std::string address;  ///< "192.0.2.1:80", "[2001:db8::1]:80" or a socket's path; empty: none
  std::string redirected_to;  ///< URL, without query, of the hop all this is about; empty: target
  std::string proxy;          ///< URL of the forward proxy it went through; empty: none
  bool proxy_failed = false;  ///< the trouble is the proxy's, or that of the way to it
  std::string server_name;    ///< that TLS asked for; empty where none was
  unsigned addresses = 0;     ///< how many the name resolved to; 0 where the name did not
  std::optional<HttpFacts> http;
  std::optional<TlsFacts> tls;
  std::optional<Duration> dns_ttl;  ///< what was left of it; absent for literals

  /// A slow but correct answer is a success.
  bool success() const { return error == ErrorClass::none || error == ErrorClass::slow_response; }
};

/// Adds one token to a detail list.
void add_detail(Outcome& outcome, std::string_view token);

}  // namespace ua
