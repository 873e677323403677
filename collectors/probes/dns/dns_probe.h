// SPDX-License-Identifier: Apache-2.0
// One question to a name server, over UDP (over TCP too where the answer does not fit) or TCP.
// Loop thread.
#pragma once

#include "collectors/probes/dns/dns_options.h"
#include "collectors/probes/probe_types.h"

namespace ua {

/// What one run keeps of an answer at most: the message and its records as text.
inline constexpr std::uint64_t kMaxDnsAnswer = 64ULL * 1024 + 2 * DnsAnswer::kMaxText;

/// For dns targets.
ProbeMaker make_dns_maker(DnsOptions options);

}  // namespace ua
