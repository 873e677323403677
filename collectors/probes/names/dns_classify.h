// SPDX-License-Identifier: Apache-2.0
// What the answers of name servers mean, and what resolv.conf has on how to ask. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/core/error_class.h"
#include "collectors/core/time.h"

namespace ua {

/// The ARES_* status that says the same, or for an RCODE that c-ares has no name for one of ours.
int status_of_rcode(unsigned rcode);

/// Whether `message` is a response and repeats the question, as each does that can be believed.
/// The ids are taken to be the same.
bool is_reply_to(std::span<const std::uint8_t> question, std::span<const std::uint8_t> message);

/// Such a status as class and detail: section 4.4 of the error-class reference.
/// @param local_error errno where this host could not even ask, else 0
std::pair<ErrorClass, std::string> classify_dns(int status, int local_error);

/// A server spoke, whatever it said.
bool is_answer(int status);
/// SERVFAIL, REFUSED, NOTIMP: another server may know better.
bool is_server_error(int status);
/// NXDOMAIN, or no address.
bool is_not_found(int status);
/// Of two failures the one that must not hide behind the other.
bool is_worse(int a, int b);

/// How long the first try waits (each further round of the servers twice as long), and how often
/// each server is asked.
struct QueryTiming {
  Duration timeout = 1s;
  int tries = 3;
  bool operator==(const QueryTiming&) const = default;
};
/// `options timeout:SECONDS attempts:COUNT` of resolv.conf(5), at most 5 of each; c-ares 1.18 does
/// not read them.
QueryTiming query_timing(std::string_view resolv_conf);

/// The names to ask for, in the order of resolv.conf(5): with `ndots` dots or more the name itself
/// comes first, else last; one with a dot at its end stands alone.
std::vector<std::string> search_candidates(const std::string& name,
                                           const std::vector<std::string>& domains, int ndots);

}  // namespace ua
