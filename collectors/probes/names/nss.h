// SPDX-License-Identifier: Apache-2.0
// The C library's own look-up of names, for the sources of nsswitch.conf(5) that c-ares does not
// know: mdns, myhostname, resolve, ldap and others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/options.h"

namespace ua {

/// Whether the `hosts` line of an nsswitch.conf names a source other than `files` and `dns`. Pure.
bool names_other_sources(std::string_view nsswitch);

/// getaddrinfo(3): may block for as long as it likes, so only ever on a worker.
/// @return addresses with port 0, at most 64; empty where nothing was found
std::vector<Endpoint> nss_addresses(const std::string& name, IpProtocol protocol);

}  // namespace ua
