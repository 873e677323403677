// SPDX-License-Identifier: Apache-2.0
// Destination address selection (RFC 6724 section 6, rules 1, 2, 5 and 6): the order in which real
// clients try a name's addresses.
#pragma once

#include <vector>

#include "collectors/probes/net/endpoint.h"

namespace ua {

/// Stable: equals keep the resolver's order. Asks the kernel for the source address of each by a
/// connect() on a datagram socket, which sends nothing; two system calls an address.
void order_addresses(std::vector<Endpoint>& addresses);

}  // namespace ua
