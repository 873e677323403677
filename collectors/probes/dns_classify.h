// SPDX-License-Identifier: Apache-2.0
// What the answers of name servers mean, and which names a search list makes of one. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/core/error_class.h"

namespace ua {

/// An ARES_* status as class and detail: section 4.4 of the error-class reference.
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

/// The names to ask for, in the order of resolv.conf(5): with `ndots` dots or more the name itself
/// comes first, else last; one with a dot at its end stands alone.
std::vector<std::string> search_candidates(const std::string& name,
                                           const std::vector<std::string>& domains, int ndots);

}  // namespace ua
