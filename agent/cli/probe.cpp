// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <ostream>

#include "agent/agent.h"
#include "agent/cli/cli.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/text.h"
#include "collectors/probes/http_probe.h"
#include "collectors/probes/probe_run.h"
#include "collectors/probes/tcp_probe.h"

namespace ua {
namespace {

struct Job {
  TargetConfig target;
  RunOptions run;
  std::string service;
};

Result<Job> job_for_url(const std::string& url, Duration timeout) {
  Result<Target> target = parse_target(url);
  if (!target) return tl::unexpected(target.error());
  const ProbeType* type = find_probe_type(target->scheme);
  if (type == nullptr) {
    return fail("no probe for " + escape_line(target->scheme, 60) +
                "://; there are http, https, http+unix, tcp and tcp+unix");
  }
  Job job;
  job.run.timeout = timeout;
  job.target.type = type->name;
  job.target.make = type->name == "tcp" ? make_tcp_maker() : make_http_maker({}, {});
  job.target.target = std::move(*target);
  return job;
}

/// The targets of a configured upstream with its options; empty where there is none of that name.
std::vector<Job> jobs_of_upstream(const Config& config, const std::string& name) {
  std::vector<Job> jobs;
  for (const UpstreamConfig& upstream : config.upstreams) {
    if (upstream.name != name) continue;
    for (const TargetConfig& target : upstream.targets) {
      jobs.push_back(Job{target, upstream.run, upstream.service});
    }
  }
  return jobs;
}

bool wants_colour() {
  return isatty(STDOUT_FILENO) == 1 &&
         std::getenv("NO_COLOR") == nullptr;  // NOLINT(concurrency-mt-unsafe): never set
}

}  // namespace

int run_probe(const ProbeArguments& arguments, std::ostream& out, std::ostream& err) {
  const auto timeout = parse_duration(arguments.timeout);
  if (!timeout || *timeout < 1ms || *timeout > 10min) {
    err << "upstream-agent: --timeout takes a duration from 1ms to 10m, such as 5s\n";
    return kExitUsage;
  }
  std::optional<Config> config;
  if (arguments.config_file) {
    auto loaded = load_config(*arguments.config_file);
    if (!loaded) {
      for (const Diagnostic& diagnostic : loaded.error()) err << diagnostic.text() << '\n';
      return kExitConfiguration;
    }
    config = std::move(*loaded);
  }
  std::vector<Job> jobs;
  for (const std::string& text : arguments.targets) {
    if (config) {
      std::vector<Job> named = jobs_of_upstream(*config, text);
      if (!named.empty()) {
        jobs.insert(jobs.end(), named.begin(), named.end());
        continue;
      }
    }
    Result<Job> job = job_for_url(text, *timeout);
    if (!job) {
      err << "upstream-agent: " << job.error().message << '\n';
      return kExitUsage;
    }
    jobs.push_back(std::move(*job));
  }

  EpollLoop loop;
  ProbeEngine engine(loop);
  std::vector<std::vector<Outcome>> results(jobs.size());
  std::size_t open = jobs.size();
  std::vector<std::unique_ptr<ProbeRun>> runs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    runs.push_back(std::make_unique<ProbeRun>(engine, jobs[i].target.target, jobs[i].target.make,
                                              jobs[i].run));
    runs.back()->start([&, i](std::vector<Outcome> outcomes) {
      results[i] = std::move(outcomes);
      if (--open == 0) loop.stop();
    });
  }
  loop.run();
  bool all_up = true;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (const Outcome& outcome : results[i]) {
      all_up = all_up && outcome.success();
      const Job& job = jobs[i];
      out << (arguments.json ? outcome_json(job.target.target, outcome, job.service) + '\n'
                             : outcome_text(job.target.target, outcome, job.service,
                                            loop.wall_now(), wants_colour()));
    }
  }
  return all_up ? 0 : 1;
}

}  // namespace ua
