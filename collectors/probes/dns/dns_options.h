// SPDX-License-Identifier: Apache-2.0
// What a dns target's URL and [upstream.dns] say: what is asked, how, and what an answer must be
// like. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/result.h"
#include "collectors/probes/answer/answer_options.h"
#include "collectors/probes/dns/dns_message.h"

namespace ua {

struct Target;

enum class DnsTransport : std::uint8_t { udp, tcp };

struct DnsOptions {
  std::string query;                      ///< empty: the URL says it
  std::optional<std::uint16_t> type;      ///< nullopt: the URL says it, or A
  std::optional<DnsTransport> transport;  ///< nullopt: the URL says it, or UDP
  bool recursion_desired = true;
  std::vector<unsigned> expect_rcode{0};
  /// Of the records as fields named "answer", and as lines of a body.
  AnswerPatterns patterns;
};

/// Reports every mistake; the values returned are usable defaults where there was one.
DnsOptions read_dns_options(TableReader& upstream);

struct DnsTask {
  DnsQuestion question;
  DnsTransport transport = DnsTransport::udp;
};
/// What a target asks, or why that is not clear.
Result<DnsTask> dns_task(const Target& target, const DnsOptions& options);

/// Whether ProbeRun connects: to ask over TCP. What the URL says, else `transport` of the table.
/// @param path Target::path
bool dns_over_stream(std::string_view path, std::string_view transport = "");

}  // namespace ua
