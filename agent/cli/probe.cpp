// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <ostream>

#include "agent/cli/flags.h"
#include "agent/cli/probe_jobs.h"
#include "agent/cli/probe_report.h"
#include "agent/cli/prober.h"
#include "agent/cli/terminal.h"
#include "agent/signals.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

struct ProbeFlags {
  std::vector<std::string> words;
  std::optional<std::filesystem::path> config_file;
  std::optional<Duration> timeout;
  Duration interval = 1s;
  bool all_addresses = false;
  bool watch = false;
  bool verbose = false;
  bool json = false;
};

std::string timeout_problem(const std::string& text) {
  const auto value = parse_duration(text);
  return value && *value >= 1ms && *value <= 10min ? "" : "write a time such as 500ms or 5s";
}

std::string interval_problem(const std::string& text) {
  const auto value = parse_duration(text);
  return value && *value >= 100ms && *value <= 24h ? "" : "write a time from 100ms to 1d";
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
      "Exit status: 0 all are up, 1 at least one is not (with --watch: was not), 2 wrong usage,\n"
      "78 a mistake in the configuration.\n\n"
      "Examples:\n"
      "  upstream-agent probe http://127.0.0.1:3000/healthz tcp://127.0.0.1:5432\n"
      "  upstream-agent probe --config.file=agent.toml checkout\n"
      "  upstream-agent probe --watch --interval=5s http://127.0.0.1:3000/\n"
      "  upstream-agent probe --json https://example.org/ | jq .error_class");
  app.add_option("TARGET", flags.words, "What to probe")->required();
  add_config_flag(app, flags.config_file);
  app.add_option_function<std::string>(
         "--timeout", [&](const std::string& text) { flags.timeout = parse_duration(text); },
         "For everything; default 5s, or what the upstream has")
      ->type_name("DURATION")
      ->check(CLI::Validator(timeout_problem, ""));
  app.add_flag("--all-addresses", flags.all_addresses,
               "Each address of the name on its own, at most 16");
  CLI::Option* watch =
      app.add_flag("--watch", flags.watch, "Again and again, a line each, until Ctrl-C");
  app.add_option_function<std::string>(
         "--interval", [&](const std::string& text) { flags.interval = *parse_duration(text); },
         "Between two rounds; default 1s")
      ->type_name("DURATION")
      ->check(CLI::Validator(interval_problem, ""))
      ->needs(watch);
  CLI::Option* verbose =
      app.add_flag("-v,--verbose", flags.verbose, "What was done and said, with secrets hidden");
  app.add_flag("--json", flags.json, "One JSON object a line, see upstream-agent(1)")
      ->excludes(verbose);
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
  for (ProbeJob& job : jobs) {
    job.run.timeout = flags.timeout.value_or(job.run.timeout);
    if (flags.all_addresses) job.run.addresses = AddressMode::all;
  }
  return 0;
}

/// Whole, as a report or as JSON.
class Reporter {
 public:
  Reporter(const ProbeFlags& flags, std::ostream& out) : flags_(flags), out_(out) {}

  void begin(const std::string& transcript) {
    if (transcript.empty()) return;
    out_ << gap_ << transcript;
    gap_ = "";
  }
  void report(Prober& prober, const ProbeJob& job, const Outcome& outcome) {
    const std::string_view second_look = prober.look_again(job, outcome);
    const WallTime now = prober.wall_now();
    if (flags_.json) {
      out_ << report_json(job, outcome, now, second_look) << '\n';
      return;
    }
    out_ << gap_ << report_text(job, outcome, now, wants_colour(), second_look);
    gap_ = "\n";
  }

 private:
  const ProbeFlags& flags_;
  std::ostream& out_;
  std::string_view gap_;
};

/// A line each; whole where a failure is another than the one before.
class Follower {
 public:
  Follower(const ProbeFlags& flags, std::ostream& out) : flags_(flags), out_(out) {}

  void show(Prober& prober, const ProbeJob& job, const Outcome& outcome) {
    ++probes_;
    if (!outcome.success()) ++failures_;
    const Target& target = job.target.target;
    const WallTime now = prober.wall_now();
    if (flags_.json) {
      out_ << report_json(job, outcome, now) << '\n';
      return;
    }
    out_ << report_line(target, outcome, now, wants_colour()) << '\n';
    ErrorClass& before = before_[target.label + '\n' + outcome.address];
    const bool news = !outcome.success() && outcome.error != before;
    before = outcome.error;
    if (!news) return;
    const std::string_view second_look = prober.look_again(job, outcome);
    out_ << report_text(job, outcome, now, wants_colour(), second_look);
  }

  int finish() {
    if (!flags_.json) out_ << probes_ << " probes, " << failures_ << " failed\n";
    return failures_ == 0 ? 0 : kExitFailure;
  }

 private:
  const ProbeFlags& flags_;
  std::ostream& out_;
  std::map<std::string, ErrorClass> before_;
  std::uint64_t probes_ = 0;
  std::uint64_t failures_ = 0;
};

int probe_once(const ProbeFlags& flags, const std::vector<ProbeJob>& jobs, std::ostream& out) {
  Prober prober(jobs, {flags.verbose});
  const auto findings = prober.run();
  Reporter reporter(flags, out);
  bool all_up = true;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    reporter.begin(findings[i].transcript);
    for (const Outcome& outcome : findings[i].outcomes) {
      all_up = all_up && outcome.success();
      reporter.report(prober, jobs[i], outcome);
    }
  }
  return all_up ? 0 : kExitFailure;
}

/// Until a signal, or until nobody reads any more.
int probe_again_and_again(const ProbeFlags& flags, const std::vector<ProbeJob>& jobs,
                          std::ostream& out) {
  const UniqueFd signals = take_signals();
  Prober prober(jobs, {flags.verbose, signals.get()});
  Follower follower(flags, out);
  Time next = prober.now();
  do {
    const auto findings = prober.run();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      out << findings[i].transcript;
      for (const Outcome& outcome : findings[i].outcomes) follower.show(prober, jobs[i], outcome);
    }
    next = std::max(next + flags.interval, prober.now());
  } while (out.flush() && prober.wait(next - prober.now()));
  return follower.finish();
}

}  // namespace

int probe_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  ProbeFlags flags;
  if (const auto status = read_flags(arguments, flags, out, err)) return *status;
  std::vector<ProbeJob> jobs;
  if (const int status = find_jobs(flags, jobs, err); status != 0) return status;
  return flags.watch ? probe_again_and_again(flags, jobs, out) : probe_once(flags, jobs, out);
}

}  // namespace ua
