// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/reach.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"
#include "collectors/host/samplers.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/net/hiding_mount.h"

namespace ua {
namespace {

using Sentences = std::vector<std::string>;

void add_unix_targets(const Config& config, Sentences& into) {
  std::set<std::string> paths;
  for (const UpstreamConfig& upstream : config.upstreams) {
    for (const TargetConfig& target : upstream.targets) {
      if (target.target.is_unix()) paths.insert(target.target.unix_path);
    }
  }
  for (const std::string& path : paths) {
    const std::string shown = escape_line(path);
    if (const auto hidden = explain_hidden(path)) {
      into.push_back(shown + ": " + *hidden);
    } else if (access(path.c_str(), W_OK) != 0 && errno == EACCES) {
      into.push_back(shown + ": this user may not connect to the socket");
    }
  }
}

/// Taken by the running agent is no matter of rights.
void add_port(const ListenAddress& address, Sentences& into) {
  const auto endpoint = ip_endpoint(address.host.empty() ? "0.0.0.0" : address.host, address.port);
  if (!endpoint) return;
  const UniqueFd fd(socket(endpoint->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd && bind(fd.get(), endpoint->address(), endpoint->size) != 0 && errno == EACCES) {
    into.push_back("web.listen_address " + escape_line(address.text) +
                   ": this user may not listen on the port (CAP_NET_BIND_SERVICE)");
  }
}

void add_listen_addresses(const Config& config, Sentences& into) {
  for (const ListenAddress& address : config.web.listen_addresses) {
    if (address.unix_path.empty()) {
      add_port(address, into);
      continue;
    }
    const auto directory = std::filesystem::path(address.unix_path).parent_path();
    if (access(directory.c_str(), W_OK | X_OK) == 0) continue;
    into.push_back("web.listen_address " + escape_line(address.text) + ": " + errno_text(errno) +
                   " in the socket's directory");
  }
}

void add_samplers(const Config& config, Sentences& into) {
  HostSnapshot snapshot;
  for (const auto& sampler : make_host_samplers(config.host.samplers)) {
    const Result<void> sampled = sampler->sample(snapshot);
    if (sampled) continue;
    into.push_back("host sampler " + std::string(sampler->name()) + ": " +
                   escape_line(sampled.error().message));
  }
}

void add_descriptors(const Config& config, Sentences& into) {
  std::size_t targets = 0;
  for (const UpstreamConfig& upstream : config.upstreams) targets += upstream.targets.size();
  const auto wanted = std::min<std::uint64_t>(targets, config.limits.max_in_flight);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || wanted <= limit.rlim_max) return;
  into.push_back("file descriptors: " + std::to_string(limit.rlim_max) +
                 " at most, fewer than probes may run at a time (LimitNOFILE)");
}

}  // namespace

std::vector<std::string> out_of_reach(const Config& config) {
  Sentences result;
  add_listen_addresses(config, result);
  add_unix_targets(config, result);
  add_samplers(config, result);
  add_descriptors(config, result);
  return result;
}

}  // namespace ua
