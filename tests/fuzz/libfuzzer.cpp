// SPDX-License-Identifier: Apache-2.0
// The entry that libFuzzer calls, compiled once a target.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/fuzz.h"

/// A broken property leaves it as an exception, which ends the process where it was thrown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) noexcept {
  ua::fuzz::UA_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
