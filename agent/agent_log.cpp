// SPDX-License-Identifier: Apache-2.0
#include "agent/agent_log.h"

#include <algorithm>

#include "agent/logging.h"

namespace ua {
namespace {

constexpr std::size_t kMistakesLogged = 100;

}  // namespace

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string result;
  for (const std::string& word : words) {
    if (!result.empty()) result += between;
    result += word;
  }
  return result;
}

std::string joined(const Diagnostics& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics) lines.push_back(diagnostic.text());
  return joined(lines, "\n");
}

void log_mistakes(const Diagnostics& mistakes) {
  log_error("the configuration was not changed", {{"mistakes", std::to_string(mistakes.size())}});
  const std::size_t shown = std::min(mistakes.size(), kMistakesLogged);
  for (std::size_t i = 0; i < shown; ++i) {
    log_error("a mistake in the configuration", {{"mistake", mistakes[i].text()}});
  }
  if (shown < mistakes.size()) log_error("upstream-agent check prints the other mistakes");
}

void log_sampler(const SamplerRun& run) {
  if (run.success) {
    log_info("a host sampler works again", {{"sampler", run.name}});
  } else {
    log_warning("a host sampler fails; the others go on",
                {{"sampler", run.name}, {"error", run.error}});
  }
}

void log_verdict(const TargetStatus& status, Verdict before) {
  const auto log = status.verdict == Verdict::down ? log_warning : log_info;
  log("upstream is " + std::string(name(status.verdict)),
      {{"upstream", status.upstream},
       {"target", status.target},
       {"was", std::string(name(before))},
       {"error_class", std::string(name(status.last->error))},
       {"detail", status.last->detail},
       {"address", status.last->address}});
}

}  // namespace ua
