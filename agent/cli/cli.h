// SPDX-License-Identifier: Apache-2.0
// The subcommands; each returns the process's exit status. One file each.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "collectors/core/outcome.h"
#include "collectors/core/time.h"
#include "collectors/probes/target.h"

namespace ua {

inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfiguration = 78;

/// Prints every mistake of the configuration to `err`, or a summary to `out`. 0 or 78.
int run_check(const std::optional<std::filesystem::path>& file, std::ostream& out,
              std::ostream& err);

struct ExplainArguments {
  std::vector<std::string> classes;
  bool all = false;
  bool json = false;
};
/// 0, or 2 where a class is unknown.
int run_explain(const ExplainArguments& arguments, std::ostream& out, std::ostream& err);

struct ProbeArguments {
  std::vector<std::string> targets;  ///< URLs, or names of configured upstreams
  std::optional<std::filesystem::path> config_file;
  std::string timeout = "5s";
  bool json = false;
};
/// Probes each target once. 0 all up, 1 one is not, 2 usage.
int run_probe(const ProbeArguments& arguments, std::ostream& out, std::ostream& err);

/// One outcome as people read it: verdict, cause, first check, waterfall of phases. Pure.
std::string outcome_text(const Target& target, const Outcome& outcome, const std::string& service,
                         WallTime now, bool colour);
/// The same as one line of JSON. Pure.
std::string outcome_json(const Target& target, const Outcome& outcome, const std::string& service);

}  // namespace ua
