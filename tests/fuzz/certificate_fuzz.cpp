// SPDX-License-Identifier: Apache-2.0
// What a server's certificate says of itself, in libcurl's words. A line each, as in its records.
#include <curl/curl.h>

#include <memory>
#include <vector>

#include "collectors/core/text.h"
#include "collectors/probes/tls/tls_facts.h"
#include "tests/fuzz/fuzz.h"

namespace ua::fuzz {
namespace {

void check_time(std::string_view text) {
  const auto time = parse_certificate_time(text);
  if (!time) return;
  // What the pages and the reports reckon with it.
  constexpr WallTime kNow{std::chrono::hours(24 * 365 * 60)};
  const auto days = std::chrono::floor<std::chrono::days>(*time - kNow).count();
  expect(std::abs(days) < 110'000, "a date is within three centuries of ours");
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(*time)};
  const std::string year = std::to_string(static_cast<int>(date.year()));
  expect(text.find(year) != std::string_view::npos || *time == WallTime::max() ||
             static_cast<int>(date.year()) <= 1950,
         "a date has its year, or is the earliest or latest that can be told");
}

void check_fingerprint(std::string_view text) {
  const std::string fingerprint = fingerprint_of_pem(text);
  expect(fingerprint.empty() || fingerprint.size() == 64, "a fingerprint has 64 digits");
  expect(fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos,
         "a fingerprint is hexadecimal");
}

void check_field(std::string_view line) {
  Certificate certificate;
  read_certificate_field(line, certificate);
  expect(certificate.subject.size() <= 1024 && certificate.issuer.size() <= 1024,
         "a name of a certificate is bounded");
  expect(certificate.names.size() <= 100, "alternative names are bounded");
  for (const std::string& name : certificate.names) {
    expect(name.size() <= 1024, "an alternative name is bounded");
  }
}

}  // namespace

void certificate(std::string_view bytes) {
  check_fingerprint(bytes);
  check_field(bytes);
  TlsFacts facts;
  for (const std::string_view line : split(bytes, '\n')) {
    check_time(line);
    check_field(line);
    read_debug_line(line, facts);
  }
  expect(facts.version.size() <= bytes.size(), "a version is part of a line");
}

}  // namespace ua::fuzz
