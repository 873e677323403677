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

namespace ua {

/// Fills `{host}`, `{port}`, `{ip}`, `{sni}`, `{address}`, `{path}`, `{url}` and `{service}`, for
/// the hop that failed where a redirect was followed, and leaves out the parts of the command that
/// do not apply: those about a network for a Unix socket, and the reverse. Every value that is not
/// plain is quoted for a POSIX shell, so that a name out of a configuration cannot become a
/// command. Commands that connect go the way that the probe went: through its proxy, from its
/// address, over its interface.
/// @param service unit name; where empty a placeholder stands that says what to put
/// @param outcome of the failed probe: its address, TLS name, proxy and redirect
/// @param socket RunOptions::socket; null: none
std::string fill_command(const ErrorClassInfo& error_class, const Target& target,
                         std::string_view service, const Outcome& outcome = {},
                         const SocketOptions* socket = nullptr);

/// The value itself where it is plain ([A-Za-z0-9_@%+=:,./-]), else in single quotes.
std::string shell_quote(std::string_view value);

}  // namespace ua
