// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/negotiate.h"

#include <string>

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("Accept chooses the format") {
  struct Row {
    const char* accept;
    ExpositionFormat format;
  };
  constexpr auto kText = ExpositionFormat::text;
  constexpr auto kOpen = ExpositionFormat::openmetrics;
  const auto row = GENERATE(values<Row>({
      {"", kText},
      {"*/*", kText},
      {"text/html,application/xhtml+xml,*/*;q=0.8", kText},
      {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
       "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOpen},
      {"application/openmetrics-text", kOpen},
      {"Application/OpenMetrics-Text ; Version=\"1.0.0\" ; charset=utf-8", kOpen},
      {"application/openmetrics-text; version=0.0.1", kText},
      {"application/openmetrics-text; version=2.0.0", kText},
      {"application/openmetrics-text;q=0", kText},
      {"application/openmetrics-text;q=0.4,text/plain;q=0.5", kText},
      {"application/openmetrics-text;q=0.4,text/*;q=0.5", kText},
      {"application/openmetrics-text;q=0.5,text/plain;q=0.5", kOpen},
      {"application/openmetrics-text;q=0.5,*/*;q=0.1", kOpen},
      {"application/openmetrics-text;q=0.5,*/*;q=0.9,text/plain;q=0.1", kOpen},
      {"application/openmetrics-text;q=2", kText},
      {"application/openmetrics-text;q=1.001", kText},
      {"text/plain;a=\",application/openmetrics-text\"", kText},
      {"application/openmetrics-textual", kText},
      {";;;,,,=\"", kText},
      {"\"\\", kText},
  }));
  CAPTURE(row.accept);
  CHECK(negotiate_format(row.accept) == row.format);
}

TEST_CASE("Accept-Encoding chooses gzip or identity") {
  struct Row {
    const char* accept;
    bool gzip;
  };
  const auto row = GENERATE(values<Row>({
      {"", false},
      {"gzip", true},
      {"GZIP", true},
      {"x-gzip", true},
      {"deflate, gzip;q=1.0, *;q=0.5", true},
      {"gzip;q=0", false},
      {"gzip;q=0.0", false},
      {"gzip;q=0.000", false},
      {"gzip ; q=0.001", true},
      {"gzip;q=0,*", false},
      {"*", true},
      {"*;q=0", false},
      {"identity", false},
      {"identity;q=1, gzip;q=0.5", false},
      {"identity;q=0.5, gzip", true},
      {"br, zstd", false},
      {"gzipped", false},
      {"gzip;q=abc", false},
  }));
  CAPTURE(row.accept);
  CHECK(negotiate_gzip(row.accept) == row.gzip);
}

TEST_CASE("a long hostile header is read once") {
  // Quadratic reading of 8 MB would take hours.
  std::string commas(8 << 20, ',');
  CHECK(negotiate_format(commas) == ExpositionFormat::text);
  CHECK_FALSE(negotiate_gzip(std::string(8 << 20, ';') + "gzip"));
  CHECK(negotiate_gzip(commas + "gzip"));
  CHECK_FALSE(negotiate_gzip("\"" + commas + "gzip"));
}

}  // namespace
}  // namespace ua
