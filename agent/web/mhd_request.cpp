// SPDX-License-Identifier: Apache-2.0
#include "agent/web/mhd_request.h"

#include <algorithm>

namespace ua {

std::string_view header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value != nullptr ? value : "";
}

const sockaddr* peer_address(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info != nullptr ? info->client_addr : nullptr;
}

RequestHead request_head(MHD_Connection* connection, std::string_view method, std::string_view uri,
                         std::string_view version) {
  RequestHead result{method, uri, version, {}, nullptr};
  const int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, nullptr, nullptr);
  result.headers.reserve(static_cast<std::size_t>(std::max(count, 0)));
  MHD_get_connection_values_n(
      connection, MHD_HEADER_KIND,
      [](void* headers, MHD_ValueKind, const char* key, std::size_t key_size, const char* value,
         std::size_t value_size) -> MHD_Result {
        static_cast<decltype(result.headers)*>(headers)->emplace_back(
            std::string_view(key, key_size), std::string_view(value, value_size));
        return MHD_YES;
      },
      &result.headers);
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  // Releases from 1.0 on leave a head in another state, and refuse zero bytes by themselves.
  const bool as_sent = std::string_view(MHD_get_version()).starts_with("0.");
  if (as_sent && info != nullptr) result.end = method.data() + info->header_size;
  return result;
}

AccessRequest access_request(MHD_Connection* connection) {
  AccessRequest result;
  result.from_loopback = is_loopback(peer_address(connection));
  result.host = header(connection, "Host");
  result.origin = header(connection, "Origin");
  MHD_get_connection_values(
      connection, MHD_HEADER_KIND,
      [](void* found, MHD_ValueKind, const char* key, const char*) -> MHD_Result {
        if (is_forwarding(key)) *static_cast<bool*>(found) = true;
        return MHD_YES;
      },
      &result.forwarded);
  return result;
}

}  // namespace ua
