// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/tls_facts.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxNames = 100;
constexpr std::size_t kMaxText = 1024;

constexpr std::chrono::year kFirstYear{1950};  // of what X.509 can say in two digits
constexpr std::chrono::year kLastYear{2261};

std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value <= most ? std::optional(value) : std::nullopt;
}

/// "DNS:a.example, IP Address:192.0.2.1"
void read_names(std::string_view text, std::vector<std::string>& names) {
  for (std::string_view item : split(text, ',')) {
    item = trim(item);
    for (const std::string_view kind : {"DNS:", "IP Address:"}) {
      if (item.starts_with(kind) && names.size() < kMaxNames) {
        names.emplace_back(item.substr(kind.size(), kMaxText));
      }
    }
  }
}

}  // namespace

void read_certificates(CURL* handle, TlsFacts& facts) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr) return;
  for (int i = 0; i < chain->num_of_certs; ++i) {
    Certificate certificate;
    for (const curl_slist* field = chain->certinfo[i]; field != nullptr; field = field->next) {
      read_certificate_field(field->data, certificate);
    }
    if (certificate.not_after == WallTime{}) continue;
    if (!facts.chain_not_after || certificate.not_after < *facts.chain_not_after) {
      facts.chain_not_after = certificate.not_after;
    }
    if (i == 0) facts.certificate = std::move(certificate);
  }
}

void read_certificate_field(std::string_view entry, Certificate& certificate) {
  const std::size_t colon = entry.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view key = entry.substr(0, colon);
  const std::string_view value = entry.substr(colon + 1);
  if (key == "Subject") certificate.subject = value.substr(0, kMaxText);
  if (key == "Issuer") certificate.issuer = value.substr(0, kMaxText);
  if (key == "Start date") {
    certificate.not_before = parse_certificate_time(value).value_or(WallTime{});
  }
  if (key == "Expire date") {
    certificate.not_after = parse_certificate_time(value).value_or(WallTime{});
  }
  if (key == "X509v3 Subject Alternative Name") read_names(value, certificate.names);
  if (key == "Cert") certificate.fingerprint_sha256 = fingerprint_of_pem(value);
}

std::optional<WallTime> parse_certificate_time(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(trim(text), ' ')) {
    if (!part.empty()) parts.push_back(part);
  }
  if (parts.size() != 5 || parts[4] != "GMT") return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), parts[0]);
  const auto clock = split(parts[2], ':');
  if (month == kMonths.end() || clock.size() != 3) return std::nullopt;
  const auto day = number(parts[1], 31);
  const auto year = number(parts[3], 9999);
  const auto hour = number(clock[0], 23);
  const auto minute = number(clock[1], 59);
  const auto second = number(clock[2], 60);
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  // Nanoseconds since 1970 reach from 1677 to 2262. From 1950 on, a date less today's fits too.
  if (date.year() > kLastYear) return WallTime::max();
  if (date.year() < kFirstYear) return WallTime(std::chrono::sys_days(kFirstYear / 1 / 1));
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

bool read_debug_line(std::string_view line, TlsFacts& facts) {
  static constexpr std::string_view kUsing = "SSL connection using ";
  if (line.starts_with(kUsing)) {
    const auto parts = split(trim(line.substr(kUsing.size())), '/');
    facts.version = trim(parts[0]);
    if (parts.size() > 1) facts.cipher = trim(parts[1]);
  }
  return line.find("Request CERT (13)") != std::string_view::npos;
}

std::optional<int> received_alert(std::string_view line) {
  constexpr std::string_view kAlert = "(IN), TLS alert, ";
  constexpr unsigned kMost = 0xffff;
  const std::size_t open = line.rfind('(');
  const std::size_t close = line.rfind(')');
  if (line.find(kAlert) == std::string_view::npos || close == std::string_view::npos) return {};
  if (open > close) return std::nullopt;
  const auto both =
      number(line.substr(open + 1, close - open - 1), kMost);  // level and description
  const unsigned description = both.value_or(0) & 0xffU;
  return description == 0 ? std::nullopt : std::optional(static_cast<int>(description));
}

std::string fingerprint_of_pem(std::string_view pem) {
  static constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  const std::size_t begin = pem.find(kBegin);
  if (begin == std::string_view::npos) return {};
  pem.remove_prefix(begin + kBegin.size());
  const std::size_t end = pem.find("-----END CERTIFICATE-----");
  if (end == std::string_view::npos) return {};
  const std::string_view body = pem.substr(0, end);
  std::vector<std::uint8_t> der(BASE64_DECODE_LENGTH(body.size()));
  base64_decode_ctx decoder;
  base64_decode_init(&decoder);
  std::size_t size = der.size();
  if (base64_decode_update(&decoder, &size, der.data(), body.size(), body.data()) == 0) return {};
  sha256_ctx hash;
  sha256_init(&hash);
  sha256_update(&hash, size, der.data());
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&hash, digest.size(), digest.data());
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string result;
  for (const std::uint8_t byte : digest) {
    result += kHex[byte >> 4U];
    result += kHex[byte & 0xfU];
  }
  return result;
}

}  // namespace ua
