// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <memory>
#include <ostream>

#include "agent/cli/flags.h"
#include "agent/cli/probe_jobs.h"
#include "agent/cli/probe_report.h"
#include "agent/cli/terminal.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/probes/follow_up.h"
#include "collectors/probes/probe_run.h"

namespace ua {
namespace {

constexpr std::size_t kMostAtOnce = 64;

struct ProbeFlags {
  std::vector<std::string> words;
  std::optional<std::filesystem::path> config_file;
  std::optional<Duration> timeout;
  bool json = false;
};

/// Runs all jobs, some at once, and keeps their outcomes in order.
class Prober {
 public:
  explicit Prober(const std::vector<ProbeJob>& jobs)
      : jobs_(jobs), engine_(loop_), runs_(jobs.size()), outcomes_(jobs.size()) {}

  std::vector<std::vector<Outcome>> run() {
    // A peer that resets while OpenSSL writes would end the process.
    std::signal(SIGPIPE, SIG_IGN);
    while (next_ < jobs_.size() && next_ < kMostAtOnce) start_next();
    if (!jobs_.empty()) loop_.run();
    std::signal(SIGPIPE, SIG_DFL);
    return std::move(outcomes_);
  }

  /// What follow-up connections tell about a failure; empty for nothing.
  std::string_view look_again(const ProbeJob& job, const Outcome& outcome) {
    if (outcome.success() || !calls_for_follow_up(job.target.target, outcome)) return "";
    Finding found = Finding::nothing;
    const auto done = [&](Finding finding) {
      found = finding;
      loop_.stop();
    };
    // Together not longer than the probe itself might have taken.
    const Duration patience = std::min<Duration>(FollowUp::kPatience, job.run.timeout / 3);
    const FollowUp follow_up(loop_, job.target.target, outcome, done, patience);
    loop_.run();
    return sentence(found);
  }

  WallTime wall_now() const { return loop_.wall_now(); }

 private:
  void start_next() {
    const std::size_t i = next_++;
    const ProbeJob& job = jobs_[i];
    runs_[i] = std::make_unique<ProbeRun>(engine_, job.target.target, job.target.make, job.run);
    runs_[i]->start([this, i](std::vector<Outcome> outcomes) {
      outcomes_[i] = std::move(outcomes);
      if (next_ < jobs_.size()) start_next();
      if (++finished_ == jobs_.size()) loop_.stop();
    });
  }

  const std::vector<ProbeJob>& jobs_;
  EpollLoop loop_;
  ProbeEngine engine_;
  std::vector<std::unique_ptr<ProbeRun>> runs_;
  std::vector<std::vector<Outcome>> outcomes_;
  std::size_t next_ = 0;
  std::size_t finished_ = 0;
};

std::string timeout_problem(const std::string& text) {
  const auto value = parse_duration(text);
  return value && *value >= 1ms && *value <= 10min ? "" : "write a time such as 500ms or 5s";
}

std::optional<int> read_flags(const Arguments& arguments, ProbeFlags& flags, std::ostream& out,
                              std::ostream& err) {
  CLI::App app("Probes each target once, now: how far it came, what is wrong, what to check first.",
               "upstream-agent probe");
  app.footer(
      "TARGET is a URL (http://host:port/path, https://host/path, tcp://host:port,\n"
      "http+unix:///run/app.sock:/path, tcp+unix:///run/app.sock), or the name of an upstream in "
      "the\n"
      "configuration, which is then probed with its own settings.\n\n"
      "Exit status: 0 all are up, 1 at least one is not, 2 wrong usage, 78 a mistake in the\n"
      "configuration.\n\n"
      "Examples:\n"
      "  upstream-agent probe http://127.0.0.1:3000/healthz tcp://127.0.0.1:5432\n"
      "  upstream-agent probe --config.file=agent.toml checkout\n"
      "  upstream-agent probe --json https://example.org/ | jq .error_class");
  app.add_option("TARGET", flags.words, "What to probe")->required();
  add_config_flag(app, flags.config_file);
  app.add_option_function<std::string>(
         "--timeout", [&](const std::string& text) { flags.timeout = parse_duration(text); },
         "For everything; default 5s, or what the upstream has")
      ->type_name("DURATION")
      ->check(CLI::Validator(timeout_problem, ""));
  app.add_flag("--json", flags.json, "One JSON object a line, see upstream-agent(1)");
  return parse_flags(app, arguments, out, err);
}

/// @return 0, or the exit status after saying what is wrong
int find_jobs(const ProbeFlags& flags, std::vector<ProbeJob>& jobs, std::ostream& err) {
  std::vector<UpstreamConfig> upstreams;
  if (flags.config_file || std::any_of(flags.words.begin(), flags.words.end(), is_upstream_name)) {
    std::vector<std::string> notes;
    auto config = load_or_complain(flags.config_file, notes, err);
    if (!config) return kExitConfiguration;
    upstreams = std::move(config->upstreams);
  }
  for (const std::string& word : flags.words) {
    const auto found = jobs_for(word, upstreams);
    if (!found) {
      err << "upstream-agent probe: " << found.error().message << '\n';
      return kExitUsage;
    }
    jobs.insert(jobs.end(), found->begin(), found->end());
  }
  for (ProbeJob& job : jobs) job.run.timeout = flags.timeout.value_or(job.run.timeout);
  return 0;
}

}  // namespace

int probe_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  ProbeFlags flags;
  if (const auto status = read_flags(arguments, flags, out, err)) return *status;
  std::vector<ProbeJob> jobs;
  if (const int status = find_jobs(flags, jobs, err); status != 0) return status;

  Prober prober(jobs);
  const auto results = prober.run();
  bool all_up = true;
  std::string_view gap;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const ProbeJob& job = jobs[i];
    for (const Outcome& outcome : results[i]) {
      all_up = all_up && outcome.success();
      const std::string_view second_look = prober.look_again(job, outcome);
      if (flags.json) {
        out << report_json(job.target.target, outcome, job.service, second_look) << '\n';
      } else {
        out << gap
            << report_text(job.target.target, outcome, job.service, prober.wall_now(),
                           wants_colour(), second_look);
        gap = "\n";
      }
    }
  }
  return all_up ? 0 : kExitFailure;
}

}  // namespace ua
