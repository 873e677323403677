// SPDX-License-Identifier: Apache-2.0
// What the tools that are suggested to an operator need so that they ask as the probe did. Plain
// values, each word quoted for a POSIX shell; without secrets.
#pragma once

#include <string>

namespace ua {

struct HttpOptions;
struct TlsOptions;

struct ToolFlags {
  std::string curl;     ///< "--cacert /etc/app/ca.pem -H 'Host: app' ", with a blank at the end
  std::string openssl;  ///< for s_client: "-CAfile /etc/app/ca.pem "
};

ToolFlags tool_flags(const TlsOptions& tls);
/// Headers of the configuration are left out: any may be a secret.
ToolFlags tool_flags(const HttpOptions& http, const TlsOptions& tls);

}  // namespace ua
