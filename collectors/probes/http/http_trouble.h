// SPDX-License-Identifier: Apache-2.0
// Results of HTTP probes that this host's own trouble ended. Pure.
#pragma once

#include <string_view>

#include "collectors/probes/probe.h"

namespace ua {

/// Something ran out here.
ProbeResult own_trouble(std::string_view detail, std::string_view message);
/// The client certificate's files are not usable.
ProbeResult bad_identity(std::string_view message);
ProbeResult bad_roots(std::string_view message);
/// The answer came, but matching it would outlast the deadline.
ProbeResult out_of_time_matching(ProbeResult verdict);

}  // namespace ua
