// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/tls_facts.h"

#include "tests/catch.h"

namespace ua {
namespace {

std::int64_t seconds(const char* text) {
  const auto time = parse_certificate_time(text);
  REQUIRE(time);
  return std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count();
}

TEST_CASE("a certificate's dates") {
  CHECK(seconds("Jan  1 00:00:00 1970 GMT") == 0);
  CHECK(seconds("Nov 25 04:05:06 2026 GMT") == 1795579506);
  CHECK(seconds("Feb 29 23:59:60 2000 GMT") == 951868800);
  CHECK(seconds("Dec 31 23:59:59 1950 GMT") == -599616001);
}

TEST_CASE("dates that no nanoseconds can tell are the latest or the earliest") {
  CHECK(parse_certificate_time("Jan  1 00:00:00 2262 GMT") == WallTime::max());
  CHECK(parse_certificate_time("Dec 31 23:59:59 9999 GMT") == WallTime::max());
  const auto earliest = parse_certificate_time("Jan  1 00:00:00 1950 GMT");
  CHECK(parse_certificate_time("Dec 31 23:59:59 1949 GMT") == earliest);
  CHECK(parse_certificate_time("Jan  1 00:00:00 0050 GMT") == earliest);
  CHECK(parse_certificate_time("Feb 29 00:00:00 0000 GMT") == earliest);
}

TEST_CASE("what is no date of a certificate") {
  for (const char* bad :
       {"", "GMT", "Nov 25 04:05:06 2026", "Nov 25 04:05:06 2026 CET", "Nou 25 04:05:06 2026 GMT",
        "Feb 29 00:00:00 2001 GMT", "Nov 257 04:05:06 2026 GMT", "Nov -1 04:05:06 2026 GMT",
        "Nov 25 2147483647:05:06 2026 GMT", "Nov 25 24:00:00 2026 GMT", "Nov 25 04:60:06 2026 GMT",
        "Nov 25 04:05:61 2026 GMT", "Nov 25 04:05:06 -2026 GMT", "Nov 25 04:05:06 10000 GMT",
        "Nov 25 04:05 2026 GMT", "Bad time value"}) {
    INFO(bad);
    CHECK_FALSE(parse_certificate_time(bad));
  }
}

TEST_CASE("a record of libcurl becomes a certificate") {
  Certificate certificate;
  for (const char* entry :
       {"Subject:CN = a.example", "Issuer:C = NL, CN = CA", "Start date:Jan  1 00:00:00 2026 GMT",
        "Expire date:Jan  1 00:00:00 9999 GMT", "Version:2", "no colon",
        "X509v3 Subject Alternative Name:DNS:a.example, IP Address:192.0.2.1, email:x@a.example",
        "Cert:-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"}) {
    read_certificate_field(entry, certificate);
  }
  CHECK(certificate.subject == "CN = a.example");
  CHECK(certificate.issuer == "C = NL, CN = CA");
  CHECK(certificate.not_before == WallTime(std::chrono::seconds(1767225600)));
  CHECK(certificate.not_after == WallTime::max());
  CHECK(certificate.names == std::vector<std::string>{"a.example", "192.0.2.1"});
  // SHA-256 of "abc", FIPS 180-2 appendix B.1
  CHECK(certificate.fingerprint_sha256 ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("what is no certificate has no fingerprint") {
  for (const char* bad : {"", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----YWJj",
                          "-----BEGIN CERTIFICATE-----END CERTIFICATE-----",
                          "-----BEGIN CERTIFICATE-----!-----END CERTIFICATE-----"}) {
    INFO(bad);
    CHECK(fingerprint_of_pem(bad).empty());
  }
}

TEST_CASE("the alerts that the peer sends are read out of the debug text") {
  CHECK(received_alert("TLSv1.3 (IN), TLS alert, certificate required (628):\n") == 116);
  CHECK(received_alert("TLSv1.2 (IN), TLS alert, unknown CA (560):\n") == 48);
  CHECK_FALSE(received_alert("TLSv1.3 (IN), TLS alert, close notify (256):\n"));
  CHECK_FALSE(received_alert("TLSv1.3 (OUT), TLS alert, unknown CA (560):\n"));
  for (const char* line : {"(IN), TLS alert, ", "(IN), TLS alert, x )1(", "(IN), TLS alert, (x):",
                           "(IN), TLS alert, (99999999):", "TLS alert, (560)", ""}) {
    INFO(line);
    CHECK_FALSE(received_alert(line));
  }
}

}  // namespace
}  // namespace ua
