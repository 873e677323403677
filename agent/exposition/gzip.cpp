// SPDX-License-Identifier: Apache-2.0
#include "agent/exposition/gzip.h"

#include <libdeflate.h>

#include <memory>
#include <new>

namespace ua {
namespace {

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const noexcept {
    libdeflate_free_compressor(compressor);
  }
};

}  // namespace

std::string gzip(std::string_view body) {
  constexpr int kLevel = 1;
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (!compressor) throw std::bad_alloc();
  // The bound is a little above the size of the body; what is not used is never touched, so only
  // the compressed part costs memory.
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor.get(), body.size());
  const auto buffer = std::make_unique_for_overwrite<char[]>(bound);
  const std::size_t size =
      libdeflate_gzip_compress(compressor.get(), body.data(), body.size(), buffer.get(), bound);
  return {buffer.get(), size};
}

}  // namespace ua
