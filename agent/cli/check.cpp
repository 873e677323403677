// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "agent/agent.h"
#include "agent/cli/cli.h"
#include "agent/config/discovered.h"
#include "agent/config/memory_bound.h"

namespace ua {

int run_check(const std::optional<std::filesystem::path>& file, std::ostream& out,
              std::ostream& err) {
  RunArguments arguments;
  arguments.config_file = file;
  auto config = configuration_of(arguments);
  if (!config) {
    for (const Diagnostic& diagnostic : config.error()) err << diagnostic.text() << '\n';
    return kExitConfiguration;
  }
  if (config->discovery.nginx) {
    Discovered found = discover_nginx(config->discovery.nginx_root);
    for (const std::string& note : found.notes) out << "discovery: " << note << '\n';
    for (UpstreamConfig& upstream : found.upstreams) {
      config->upstreams.push_back(std::move(upstream));
    }
  }
  std::size_t targets = 0;
  for (const UpstreamConfig& upstream : config->upstreams) targets += upstream.targets.size();
  out << (config->file ? config->file->string() : std::string("no configuration file")) << ": "
      << config->upstreams.size() << " upstreams, " << targets << " targets, memory bound "
      << memory_bound_bytes(*config) / (1 << 20) << " MiB\n";
  return 0;
}

}  // namespace ua
