// SPDX-License-Identifier: Apache-2.0
// The command an operator can paste: a class's command with the target's own values filled in.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "collectors/core/error_class.h"
#include "collectors/core/outcome.h"
#include "collectors/probes/net/socket_options.h"
#include "collectors/probes/target.h"
#include "collectors/probes/tool_flags.h"

namespace ua {

/// How the probe went to its target and asked there; null: nothing to say.
struct ProbeWay {
  const SocketOptions* socket = nullptr;  ///< RunOptions::socket
  const ToolFlags* flags = nullptr;       ///< ProbeSetup::flags
  std::string_view upstream = {};         ///< name under which the configuration has it
};

/// Fills `{host}`, `{port}`, `{ip}`, `{sni}`, `{address}`, `{path}`, `{url}` and `{service}`, for
/// the hop that failed where a redirect was followed, and leaves out the parts of the command that
/// do not apply: those about a network for a Unix socket, and the reverse. Where curl does not
/// speak the target's protocol, the agent's own `probe` takes its place. Every value that is not
/// plain is quoted for a POSIX shell, so that a name out of a configuration cannot become a
/// command. Commands that connect go the way that the probe went: through its proxy, from its
/// address, over its interface, with its certificates and its Host.
/// @param service unit name; where empty a placeholder stands that says what to put
/// @param outcome of the failed probe: its address, TLS name, proxy and redirect
std::string fill_command(const ErrorClassInfo& error_class, const Target& target,
                         std::string_view service, const Outcome& outcome = {},
                         const ProbeWay& way = {});

}  // namespace ua
