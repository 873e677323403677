// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"
#include "agent/cli/flags.h"

namespace ua {
namespace {

// The largest number that CLI11 knows reads "ADDRESS ..." in the help, as if one flag took several.
constexpr int kManyAddresses = CLI::detail::expected_max_vector_size / 2;

void add_run_flags(CLI::App& app, RunArguments& run) {
  add_config_flag(app, run.config_file);
  const auto take_addresses = [&run](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      auto address = parse_listen_address(text);
      if (!address) throw CLI::ValidationError("--web.listen-address", address.error().message);
      run.listen_addresses.push_back(std::move(*address));
    }
  };
  app.add_option_function<std::vector<std::string>>(
         "--web.listen-address", take_addresses, "Where to serve, may be repeated; default :10917")
      ->type_name("ADDRESS")
      ->expected(1, kManyAddresses)
      ->allow_extra_args(false);  // one value a flag, or it would swallow what follows
  const auto choice = [&](const char* flag, std::optional<std::string>& value,
                          std::vector<std::string> words, const char* help) {
    app.add_option_function<std::string>(
           flag, [&value](const std::string& word) { value = word; }, help)
        ->type_name("WORD")
        ->check(CLI::IsMember(std::move(words)));
  };
  choice("--log.level", run.log_level, {"trace", "debug", "info", "warn", "error", "off"},
         "What is logged; default info");
  choice("--log.format", run.log_format, {"logfmt", "json"}, "How; default logfmt");
}

}  // namespace

std::string run_flags_help() {
  CLI::App app("", "");
  app.set_help_flag();
  RunArguments ignored;
  add_run_flags(app, ignored);
  return CLI::Formatter().make_group("Flags of run", false, std::as_const(app).get_options());
}

int run_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("The daemon: probes upstreams, samples this host, serves metrics and a status page.",
               "upstream-agent run");
  app.footer(
      "ADDRESS is :port, host:port, [v6]:port or unix:/path. Flags win over the file, also "
      "after\n"
      "a reload (SIGHUP). SIGTERM ends it.");
  RunArguments run;
  add_run_flags(app, run);
  if (const auto status = parse_flags(app, arguments, out, err)) return *status;
  return run_agent(run);
}

}  // namespace ua
