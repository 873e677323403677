// SPDX-License-Identifier: Apache-2.0
// A client's Accept and Accept-Encoding headers.
#include "agent/exposition/negotiate.h"

#include <algorithm>
#include <vector>

#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"

namespace ua::fuzz {
namespace {

bool mentions(std::string_view header, std::string_view word) {
  return to_lower(header).find(word) != std::string::npos;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::string reversed(std::string_view header) {
  std::vector<std::string_view> items = split(header, ',');
  std::reverse(items.begin(), items.end());
  std::string result;
  for (const std::string_view item : items) result.append(item).append(1, ',');
  return result;
}

}  // namespace

void negotiate(std::string_view bytes) {
  const ExpositionFormat format = negotiate_format(bytes);
  const bool gzip = negotiate_gzip(bytes);
  if (format == ExpositionFormat::openmetrics) {
    expect(mentions(bytes, "application/openmetrics-text"), "OpenMetrics only where it is named");
  }
  if (gzip) {
    expect(mentions(bytes, "gzip") || mentions(bytes, "*"), "gzip only where it is asked for");
  }
  const std::string shouted = upper(bytes);
  expect(negotiate_format(shouted) == format && negotiate_gzip(shouted) == gzip,
         "case means nothing");
  const std::string empty_items = ", ," + std::string(bytes);
  expect(negotiate_format(empty_items) == format && negotiate_gzip(empty_items) == gzip,
         "empty items mean nothing");
  if (bytes.find('"') != std::string_view::npos) return;
  const std::string other_way = reversed(bytes);
  expect(negotiate_format(other_way) == format && negotiate_gzip(other_way) == gzip,
         "the order of the items means nothing");
  expect(negotiate_format(std::string(bytes) + ",text/plain;q=1") == ExpositionFormat::text ||
             format == ExpositionFormat::openmetrics,
         "plain text that is liked more does not bring OpenMetrics");
}

}  // namespace ua::fuzz
