// SPDX-License-Identifier: Apache-2.0
// A TLS handshake alone: complete and verified is up. Over libcurl, on a connection of ours;
// nothing is said after it. Loop thread.
#pragma once

#include "collectors/probes/probe_types.h"
#include "collectors/probes/tls/starttls.h"
#include "collectors/probes/tls/tls_options.h"

namespace ua {

/// For tls targets.
/// @param starttls what is spoken before the handshake
ProbeMaker make_tls_maker(TlsOptions tls, Starttls starttls);

}  // namespace ua
