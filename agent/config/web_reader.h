// SPDX-License-Identifier: Apache-2.0
// Reads [web], and the files it names. Where a file may be waited for.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "collectors/core/table_reader.h"

namespace ua {

/// What one file says.
void read_web(TableReader& table, WebConfig& web);

/// Keys of [web.tls_server_config], in whatever file.
struct TlsServerKeys {
  std::function<bool(std::string_view key)> has;
  /// At the key, or at the table where it is not set.
  std::function<void(std::string_view key, std::string message)> complain;
};

/// After all files, of which each may hold some of the keys: whether they are enough and fit, and
/// what the files hold that they name.
void load_tls_server(WebConfig& web, const TlsServerKeys& keys);

}  // namespace ua
