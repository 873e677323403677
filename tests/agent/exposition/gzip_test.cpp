// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/gzip.h"

#include <libdeflate.h>

#include <string>

#include "tests/catch.h"

namespace ua {
namespace {

std::string gunzip(const std::string& packed, std::size_t size) {
  std::string body(size, '\0');
  libdeflate_decompressor* const decompressor = libdeflate_alloc_decompressor();
  std::size_t actual = 0;
  const auto result = libdeflate_gzip_decompress(decompressor, packed.data(), packed.size(),
                                                 body.data(), body.size(), &actual);
  libdeflate_free_decompressor(decompressor);
  REQUIRE(result == LIBDEFLATE_SUCCESS);
  REQUIRE(actual == size);
  return body;
}

TEST_CASE("gzip gives back the same bytes and is smaller for a page") {
  std::string page;
  for (int i = 0; i < 5000; ++i) page += "upstream_up{upstream=\"u" + std::to_string(i) + "\"} 1\n";
  const std::string packed = gzip(page);
  CHECK(packed.size() < page.size() / 4);
  CHECK(gunzip(packed, page.size()) == page);
}

TEST_CASE("gzip takes an empty body and bytes that do not compress") {
  CHECK(gunzip(gzip(""), 0).empty());
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 1664525U + 1013904223U;
    noise += static_cast<char>(state >> 24U);
  }
  CHECK(gunzip(gzip(noise), noise.size()) == noise);
}

}  // namespace
}  // namespace ua
