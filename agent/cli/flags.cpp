// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/flags.h"

#include <algorithm>
#include <ostream>

#include "agent/load.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

/// "; did you mean '--json'?" where an argument that is not known is close to one that is.
std::string suggestion(const CLI::App& app, const Arguments& arguments) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  const std::vector<std::string_view> known(flags.begin(), flags.end());
  for (const std::string& argument : arguments) {
    const std::string word = argument.substr(0, argument.find('='));
    if (!word.starts_with("-") || std::find(flags.begin(), flags.end(), word) != flags.end()) {
      continue;
    }
    if (const auto close = nearest(word, known)) {
      return "; did you mean '" + std::string(*close) + "'?";
    }
  }
  return {};
}

}  // namespace

std::optional<int> parse_flags(CLI::App& app, const Arguments& arguments, std::ostream& out,
                               std::ostream& err) {
  try {
    app.parse(Arguments(arguments.rbegin(), arguments.rend()));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {  // CLI11's way of returning from deep inside
    out << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    err << app.get_name() << ": " << escape_line(error.what()) << suggestion(app, arguments)
        << "\nTry '" << app.get_name() << " --help'.\n";
    return kExitUsage;
  }
}

void add_config_flag(CLI::App& app, std::optional<std::filesystem::path>& file) {
  app.add_option_function<std::string>(
         "--config.file", [&file](const std::string& path) { file = path; },
         std::string("Configuration; default ") + kDefaultConfigFile + " where it exists")
      ->type_name("FILE");
}

std::optional<Config> load_or_complain(const std::optional<std::filesystem::path>& file,
                                       std::vector<std::string>& notes, std::ostream& err) {
  RunArguments arguments;
  arguments.config_file = file;
  auto config = configuration_of(arguments);
  if (!config) {
    for (const Diagnostic& diagnostic : config.error()) err << diagnostic.text() << '\n';
    return std::nullopt;
  }
  if (config->discovery.nginx) {
    notes = add_discovered(config->upstreams, discover_nginx(*config));
  }
  return std::move(*config);
}

}  // namespace ua
