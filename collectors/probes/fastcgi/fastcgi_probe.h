// SPDX-License-Identifier: Apache-2.0
// One FastCGI request and its answer, over TCP or a Unix socket: PHP-FPM's ping and status pages,
// or any script. Loop thread.
#pragma once

#include <string>

#include "collectors/probes/fastcgi/fastcgi_options.h"
#include "collectors/probes/probe_types.h"

namespace ua {

/// For fastcgi and fastcgi+unix targets.
ProbeMaker make_fastcgi_maker(FastcgiOptions options);

/// The request of a probe. Pure.
std::string fastcgi_probe_request(const FastcgiOptions& options, const Target& target);

}  // namespace ua
