// SPDX-License-Identifier: Apache-2.0
#include <ares.h>
#include <curl/curl.h>
#include <microhttpd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "agent/agent.h"
#include "agent/cli/cli.h"

namespace {

constexpr const char* kExamples = R"(
Examples:
  upstream-agent                                  watch this host; see http://localhost:10917/
  upstream-agent probe http://127.0.0.1:3000/     what is wrong with it, now
  upstream-agent explain connect_refused          what a class means and what to check first
  upstream-agent check --config.file=agent.toml   every mistake in a configuration

Exit status: 0 well, 1 failed or an upstream is down, 2 usage, 78 configuration.)";

std::string version_text() {
  return std::string("upstream-agent " UA_VERSION "\n") + curl_version() + "\nc-ares " +
         ares_version(nullptr) + "\nlibmicrohttpd " + MHD_get_version();
}

struct Arguments {
  ua::RunArguments run;
  ua::ProbeArguments probe;
  ua::ExplainArguments explain;
  std::optional<std::filesystem::path> config_file;
};

void add_config_option(CLI::App& app, std::optional<std::filesystem::path>& file) {
  app.add_option_function<std::string>(
      "--config.file", [&file](const std::string& path) { file = path; },
      "Configuration file (default: /etc/upstream-agent/agent.toml where it exists)");
}

void add_run_options(CLI::App& app, ua::RunArguments& run) {
  add_config_option(app, run.config_file);
  app.add_option("--web.listen-address", run.listen_addresses,
                 "Where to serve: host:port, [v6]:port, :port or unix:/path (default :10917)");
  app.add_option_function<std::string>(
      "--log.level", [&run](const std::string& level) { run.log_level = level; },
      "trace, debug, info, warn, error or off");
  app.add_option_function<std::string>(
      "--log.format", [&run](const std::string& format) { run.log_format = format; },
      "logfmt or json");
}

int dispatch(CLI::App& app, Arguments& arguments) {
  if (app.got_subcommand("check")) {
    return ua::run_check(arguments.config_file ? arguments.config_file : arguments.run.config_file,
                         std::cout, std::cerr);
  }
  if (app.got_subcommand("explain")) {
    return ua::run_explain(arguments.explain, std::cout, std::cerr);
  }
  if (app.got_subcommand("probe")) return ua::run_probe(arguments.probe, std::cout, std::cerr);
  return ua::run_agent(arguments.run);
}

int run_main(int argc, char** argv) {
  CLI::App app("Tells which upstream fails, how, since when, and what to check first.",
               "upstream-agent");
  Arguments arguments;
  app.footer(kExamples);
  app.set_version_flag("--version", version_text);
  app.require_subcommand(0, 1);
  add_run_options(app, arguments.run);

  CLI::App* run = app.add_subcommand("run", "The daemon (also without any subcommand)");
  add_run_options(*run, arguments.run);
  CLI::App* check = app.add_subcommand("check", "Validate the configuration; 0 or 78");
  add_config_option(*check, arguments.config_file);
  CLI::App* probe = app.add_subcommand("probe", "Probe targets once, now; 0 up, 1 down");
  probe->add_option("target", arguments.probe.targets, "URL, or name of a configured upstream")
      ->required();
  add_config_option(*probe, arguments.probe.config_file);
  probe->add_option("--timeout", arguments.probe.timeout, "For everything (default 5s)");
  probe->add_flag("--json", arguments.probe.json, "One JSON object a line");
  CLI::App* explain = app.add_subcommand("explain", "What an error class means");
  explain->add_option("class", arguments.explain.classes, "Names of error classes");
  explain->add_flag("--all", arguments.explain.all, "The whole catalogue");
  explain->add_flag("--json", arguments.explain.json, "As JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : ua::kExitUsage;
  }
  return dispatch(app, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "upstream-agent: " << error.what() << '\n';
    return 1;
  }
}
