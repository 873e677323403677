// SPDX-License-Identifier: Apache-2.0
// One resource record of a DNS message (RFC 1035 section 4.1.3). Pure.
#pragma once

#include <cstdint>
#include <string>

#include "collectors/probes/dns/dns_reader.h"

namespace ua {

struct DnsRecord {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint32_t ttl = 0;
  std::string data;  ///< as zone files have it; of types not known here as RFC 3597 says
};

/// The reader fails where the record is broken.
DnsRecord read_dns_record(DnsReader& reader);
/// The same without owner and data.
DnsRecord skip_dns_record(DnsReader& reader);

/// "example.org.\t60\tIN\tA\t192.0.2.1"
std::string record_text(const DnsRecord& record);

}  // namespace ua
