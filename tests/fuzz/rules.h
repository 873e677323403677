// SPDX-License-Identifier: Apache-2.0
// What must hold of values that several targets make.
#pragma once

#include "agent/config/config.h"
#include "collectors/core/outcome.h"
#include "collectors/probes/net/dial.h"
#include "collectors/probes/target.h"

namespace ua::fuzz {

/// What the probes rely on.
void check_target(const Target& target);

/// Tokens of a detail list: a closed alphabet, bounded.
void check_detail(std::string_view detail);

void check_classified(const Classified& classified);

/// What the scheduler and the pages rely on.
/// @param longest bytes of the upstream's name
void check_upstream(const UpstreamConfig& upstream, std::size_t longest);

/// Whether a browser that is told this host needs no DNS for it: "localhost", four numbers, or
/// something in brackets that only an IPv6 address can be; then a port or nothing.
bool needs_no_dns(std::string_view host);

}  // namespace ua::fuzz
