// SPDX-License-Identifier: Apache-2.0
// Trees of /proc as kernels have them, and what a sampler makes of one.
#pragma once

#include <filesystem>
#include <string>

#include "collectors/host/samplers.h"
#include "tests/catch.h"

namespace ua::test {

inline std::filesystem::path shape(const char* name) {
  return std::filesystem::path(UA_SOURCE_DIR) / "tests/fixtures/proc" / name;
}

inline std::string text(const std::filesystem::path& path) { return read_proc_file(path).value(); }

/// One sampler's part of a snapshot, and what it said.
struct Sampled {
  HostSnapshot snapshot;
  std::string error;
};

inline Sampled sample(const char* sampler, const std::filesystem::path& proc) {
  Sampled result;
  auto samplers = make_host_samplers({sampler}, {}, proc);
  REQUIRE(samplers.size() == 1);
  CHECK(samplers[0]->name() == sampler);
  const auto sampled = samplers[0]->sample(result.snapshot);
  if (!sampled) result.error = sampled.error().message;
  return result;
}

}  // namespace ua::test
