// SPDX-License-Identifier: Apache-2.0
// The options a probe can be configured with. Plain values; each protocol has its own struct, read
// from its own table of the upstream ([upstream.http], [upstream.tls], ...).
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/core/time.h"

namespace ua {

class TableReader;
struct SocketOptions;

/// `addresses`: which of a name's addresses one probe covers.
enum class AddressMode : std::uint8_t { any, first, all };
/// `ip_protocol`
enum class IpProtocol : std::uint8_t { any, v4, v6 };

/// What holds for every protocol.
struct RunOptions {
  Duration timeout = 5s;  ///< for everything: resolution, connects, redirects
  AddressMode addresses = AddressMode::any;
  IpProtocol ip_protocol = IpProtocol::any;
  std::optional<Duration> slow_threshold;
  std::shared_ptr<const SocketOptions> socket;  ///< null: nothing is asked of the sockets
};

/// A set of HTTP status codes, kept as ranges.
struct StatusSet {
  std::vector<std::pair<int, int>> ranges{{200, 399}};  ///< inclusive
  bool contains(int status) const;
};

struct HttpOptions {
  std::string method = "GET";
  std::string
      host;  ///< Host header (and SNI for https unless tls.server_name is set); empty: target's
  std::vector<std::pair<std::string, std::string>> headers;
  StatusSet expect_status;
  std::shared_ptr<const re2::RE2> expect_body;  ///< must match somewhere in the body; null: any
  bool follow_redirects = false;
  std::string basic_auth;    ///< "user:password", out of basic_auth = {username, password_file}
  std::string bearer_token;  ///< out of bearer_token_file
  std::uint64_t max_body = 1024ULL * 1024;  ///< bytes
};

struct TlsOptions {
  std::string ca_file;           ///< empty: the system's bundle
  std::string server_name;       ///< SNI and name that the certificate must have; empty: the host
  bool send_server_name = true;  ///< false: no SNI; only where no certificate is verified
  bool insecure_skip_verify = false;
};

/// What the configuration as a whole allows to one probe.
struct ProbeLimits {
  std::uint64_t max_body = 1024ULL * 1024;  ///< bytes; also the default of http.max_body
};

/// Each reads one table and reports every mistake in it; the values returned are usable defaults
/// where there was one.
RunOptions read_run_options(TableReader& upstream, const RunOptions& defaults);
HttpOptions read_http_options(TableReader& upstream, const ProbeLimits& limits);
TlsOptions read_tls_options(TableReader& upstream);

}  // namespace ua
