// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tool_flags.h"

#include "collectors/core/shell_quote.h"
#include "collectors/probes/http/http_options.h"
#include "collectors/probes/tls/client_identity.h"
#include "collectors/probes/tls/tls_options.h"

namespace ua {
namespace {

std::string flag(std::string_view name, std::string_view value) {
  return value.empty() ? "" : std::string(name) + ' ' + shell_quote(value) + ' ';
}

std::string_view version_flag(HttpVersion version) {
  switch (version) {
    case HttpVersion::any:
      break;
    case HttpVersion::v1_0:
      return "--http1.0 ";
    case HttpVersion::v1_1:
      return "--http1.1 ";
    case HttpVersion::v2:
      return "--http2 ";
    case HttpVersion::v2_prior:
      return "--http2-prior-knowledge ";
  }
  return "";
}

/// HEAD by -X would make curl wait for a body.
std::string method_flag(const std::string& method) {
  if (method == "GET") return "";
  return method == "HEAD" ? "-I " : flag("-X", method);
}

}  // namespace

ToolFlags tool_flags(const TlsOptions& tls) {
  ToolFlags result;
  result.curl = flag("--cacert", tls.ca_file);
  result.openssl = flag("-CAfile", tls.ca_file);
  if (tls.insecure_skip_verify) result.curl += "-k ";
  if (tls.identity != nullptr) {
    const std::string& cert = tls.identity->cert_file();
    const std::string& key = tls.identity->key_file();
    result.curl += flag("--cert", cert) + flag("--key", key);
    result.openssl += flag("-cert", cert) + flag("-key", key);
  }
  return result;
}

ToolFlags tool_flags(const HttpOptions& http, const TlsOptions& tls) {
  ToolFlags result = tool_flags(tls);
  result.curl += version_flag(http.version);
  result.curl += method_flag(http.method);
  if (!http.host.empty()) result.curl += flag("-H", "Host: " + http.host);
  return result;
}

}  // namespace ua
