// SPDX-License-Identifier: Apache-2.0
// What libmicrohttpd knows of a request, in our terms. On the thread that serves it; texts live as
// long as the request.
#pragma once

#include <microhttpd.h>

#include <string_view>

#include "agent/web/access.h"
#include "agent/web/request_head.h"

namespace ua {

/// Empty where it is absent.
std::string_view header(MHD_Connection* connection, const char* name);

/// Null where it has none.
const sockaddr* peer_address(MHD_Connection* connection);

RequestHead request_head(MHD_Connection* connection, std::string_view method, std::string_view uri,
                         std::string_view version);

/// All of it but what depends on the connection's security.
AccessRequest access_request(MHD_Connection* connection);

}  // namespace ua
