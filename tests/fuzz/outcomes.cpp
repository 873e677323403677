// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/outcomes.h"

#include "collectors/core/error_class.h"
#include "collectors/probes/tls/tls_facts.h"

namespace ua::fuzz {
namespace {

/// Up to half a minute; what a clock of ours has measured is never negative.
Duration duration(Input& input) { return std::chrono::microseconds(input.word() % 30'000'000); }

/// As parse_certificate_time() gives them: from 1950 to the end of the type.
WallTime date(Input& input) {
  if (input.coin()) return WallTime::max();
  return *parse_certificate_time("Jan 1 00:00:00 1950 GMT") +
         std::chrono::seconds(input.word() % 9'000'000'000);
}

TlsFacts tls(Input& input) {
  TlsFacts result;
  result.version = input.text();
  result.cipher = input.text();
  result.verified = input.coin();
  result.verify_error = input.text();
  if (!input.coin()) return result;
  result.certificate = Certificate{};
  result.certificate->subject = input.text();
  result.certificate->issuer = input.text();
  result.certificate->names.emplace_back(input.text());
  result.certificate->not_before = date(input);
  result.certificate->not_after = date(input);
  return result;
}

void add_rarer_facts(Input& input, Outcome& outcome) {
  outcome.redirected_to = input.text();
  outcome.server_name = input.text();
  const std::string fingerprint(input.text());
  if (input.coin()) outcome.dns_ttl = duration(input);
  if (!outcome.tls) return;
  if (outcome.tls->certificate) outcome.tls->certificate->fingerprint_sha256 = fingerprint;
  if (input.coin()) outcome.tls->chain_not_after = date(input);
  outcome.tls->from_second_handshake = input.coin();
}

}  // namespace

Outcome make_outcome(Input& input) {
  Outcome result;
  result.error = static_cast<ErrorClass>(input.below(kErrorClassCount + 1));
  result.detail = input.text();
  result.message = input.text();
  result.address = input.text();
  result.addresses = input.byte();
  for (std::size_t i = 0; i < kTimedPhaseCount; ++i) {
    if (input.coin()) result.times.set(static_cast<TimedPhase>(i), duration(input));
  }
  if (input.coin()) {
    result.http = HttpFacts{static_cast<int>(input.byte()) * 4, static_cast<double>(input.below(4)),
                            input.word(), input.byte()};
  }
  if (input.coin()) result.tls = tls(input);
  if (input.coin()) add_rarer_facts(input, result);
  return result;
}

Target make_target(Input& input) {
  const Result<Target> parsed = parse_target(input.text());
  return parsed ? *parsed : *parse_target("https://a.example:8443/x");
}

}  // namespace ua::fuzz
