// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/options.h"

#include <array>

#include "collectors/core/table_reader.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 3> kAddressModes{"any", "first", "all"};
constexpr std::array<std::string_view, 3> kIpProtocols{"any", "4", "6"};

}  // namespace

RunOptions read_run_options(TableReader& upstream, const RunOptions& defaults) {
  RunOptions result = defaults;
  result.timeout = upstream.duration("timeout", 1ms, 10min).value_or(defaults.timeout);
  if (const auto mode = upstream.choice("addresses", kAddressModes)) {
    result.addresses = static_cast<AddressMode>(*mode);
  }
  if (const auto protocol = upstream.choice("ip_protocol", kIpProtocols)) {
    result.ip_protocol = static_cast<IpProtocol>(*protocol);
  }
  if (const auto slow = upstream.duration("slow_threshold", 1ms, 10min)) {
    result.slow_threshold = slow;
  }
  return result;
}

}  // namespace ua
