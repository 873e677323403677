// SPDX-License-Identifier: Apache-2.0
// What the samplers that read /proc share: fields, numbers, and the sampler that is one file and
// one parser. Sampling thread.
#pragma once

#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/collector.h"
#include "collectors/host/host_snapshot.h"

namespace ua {

using HostSampler = Collector<HostSnapshot>;

/// The words of a line, between blanks and tabs.
std::vector<std::string_view> words(std::string_view line);

/// The whole text as a number; nullopt for anything else, also what does not fit.
template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::string> read_proc_file(const std::filesystem::path& path);

/// Reads one file and has it parsed.
class FileSampler final : public HostSampler {
 public:
  using Take = std::function<Result<void>(std::string_view content, HostSnapshot& into)>;
  /// @param name outlives the sampler
  FileSampler(std::string_view name, std::filesystem::path path, Take take)
      : name_(name), path_(std::move(path)), take_(std::move(take)) {}
  std::string_view name() const override { return name_; }
  Result<void> sample(HostSnapshot& into) override;

 private:
  std::string_view name_;
  std::filesystem::path path_;
  Take take_;
};

}  // namespace ua
