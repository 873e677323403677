// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "agent/cli/flags.h"
#include "agent/memory_bound.h"
#include "collectors/core/text.h"

namespace ua {

int check_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Validates the configuration: prints every mistake as file:line:column: message.",
               "upstream-agent check");
  app.footer("Exit status: 0 valid, 78 not.");
  std::optional<std::filesystem::path> file;
  add_config_flag(app, file);
  if (const auto status = parse_flags(app, arguments, out, err)) return *status;

  std::vector<std::string> notes;
  const auto config = load_or_complain(file, notes, err);
  if (!config) return kExitConfiguration;
  for (const std::string& note : notes) out << "discovery: " << escape_line(note) << '\n';
  std::size_t targets = 0;
  for (const UpstreamConfig& upstream : config->upstreams) targets += upstream.targets.size();
  out << (config->file ? config->file->string() : std::string("no configuration file")) << ": "
      << config->upstreams.size() << " upstreams, " << targets << " targets, memory bound "
      << memory_bound_bytes(*config) / (1 << 20) << " MiB\n";
  return 0;
}

}  // namespace ua
