// SPDX-License-Identifier: Apache-2.0
// HTTP and HTTPS over a connected socket: one request, one answer, one class. Loop thread.
#pragma once

#include "collectors/probes/http/http_options.h"
#include "collectors/probes/probe_types.h"
#include "collectors/probes/tls/tls_options.h"

namespace ua {

/// For http, https and http+unix targets.
ProbeMaker make_http_maker(HttpOptions http, TlsOptions tls);

}  // namespace ua
