// SPDX-License-Identifier: Apache-2.0
// What the answers of a name server that is probed mean. Their classes are those of any service,
// not those of phase dns, which are about the name of a target. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "collectors/core/outcome.h"
#include "collectors/probes/answer/answer_match.h"
#include "collectors/probes/dns/dns_options.h"
#include "collectors/probes/net/stream.h"

namespace ua {

/// Class, detail and message of an answer that was taken. The patterns are matched after it.
void judge_dns(const DnsOptions& options, const DnsAnswer& answer, Outcome& outcome);

/// What came over TCP, where nobody else can have sent it.
/// @param received as it came, its length first
void judge_dns_stream(std::string_view received, const DnsAnswer& answer, Outcome& outcome);

void judge_dns_end(Stream::End end, bool partial, Outcome& outcome);

/// What came over UDP and was not taken, in case it was forged.
struct DnsStrays {
  unsigned other_id = 0;
  unsigned no_reply = 0;
  unsigned other_question = 0;
  void count(DnsAnswer::Kind kind);
};
/// Time is up.
void judge_dns_silence(const DnsStrays& strays, Outcome& outcome);

void apply_dns_mismatch(const std::optional<Mismatch>& mismatch, std::size_t records,
                        Outcome& outcome);

/// What the patterns are matched against.
std::string dns_fields(const DnsAnswer& answer);
std::string dns_lines(const DnsAnswer& answer);

}  // namespace ua
