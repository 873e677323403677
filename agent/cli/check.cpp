// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "agent/cli/flags.h"
#include "agent/cli/reach.h"
#include "agent/cli/target_list.h"
#include "agent/memory_bound.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr Duration kPatience = 5s;

void print_summary(const Config& config, std::ostream& out) {
  std::size_t targets = 0;
  for (const UpstreamConfig& upstream : config.upstreams) targets += upstream.targets.size();
  out << (config.file ? config.file->string() : std::string("no configuration file")) << ": "
      << config.upstreams.size() << " upstreams, " << targets << " targets, memory bound "
      << memory_bound_bytes(config) / (1 << 20) << " MiB\n";
}

}  // namespace

int check_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Validates the configuration: prints every mistake as file:line:column: message.",
               "upstream-agent check");
  app.footer(
      "Of a valid configuration it prints the targets with the addresses that their names have\n"
      "now, what this user may not do that the configuration asks for, and how much memory the\n"
      "agent may need.\n"
      "It connects to no upstream. A name that cannot be resolved is no mistake.\n\n"
      "Exit status: 0 valid, 2 wrong usage, 78 not valid.");
  std::optional<std::filesystem::path> file;
  bool names_alone = false;
  add_config_flag(app, file);
  app.add_flag("--no-resolve", names_alone, "Ask no name server");
  if (const auto status = parse_flags(app, arguments, out, err)) return *status;

  std::vector<std::string> notes;
  const auto config = load_or_complain(file, notes, err);
  if (!config) return kExitConfiguration;
  for (const std::string& note : notes) out << "discovery: " << escape_line(note) << '\n';
  const ResolvedNames names =
      names_alone ? ResolvedNames{} : resolve_names(config->upstreams, kPatience);
  out << target_list(config->upstreams, names);
  for (const std::string& sentence : out_of_reach(*config)) {
    out << "out of reach: " << sentence << '\n';
  }
  print_summary(*config, out);
  return 0;
}

}  // namespace ua
