// SPDX-License-Identifier: Apache-2.0
// What [upstream.tls] says. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace ua {

class TableReader;

class ClientIdentity;

/// `min_version`: the oldest one to agree on.
enum class TlsVersion : std::uint8_t { system, v1_0, v1_1, v1_2, v1_3 };

struct TlsOptions {
  std::string ca_file;           ///< empty: the system's bundle
  std::string server_name;       ///< SNI and name that the certificate must have; empty: the host
  bool send_server_name = true;  ///< false: no SNI; only where no certificate is verified
  bool insecure_skip_verify = false;
  TlsVersion min_version = TlsVersion::system;
  std::shared_ptr<ClientIdentity> identity;  ///< out of cert_file and key_file; null: none
};

/// Reports every mistake; the values returned are usable defaults where there was one.
TlsOptions read_tls_options(TableReader& upstream);

}  // namespace ua
