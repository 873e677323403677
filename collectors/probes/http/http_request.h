// SPDX-License-Identifier: Apache-2.0
// What is asked of an HTTP target: URL, headers, credentials, TLS name, put onto a libcurl handle.
// Made once when the configuration is read and shared by the target's probes; loop thread.
#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/core/outcome.h"
#include "collectors/probes/http/http_options.h"
#include "collectors/probes/target.h"
#include "collectors/probes/tls/tls_options.h"

namespace ua {

class HttpRequest {
 public:
  HttpRequest(HttpOptions http, TlsOptions tls);

  const HttpOptions& http() const { return http_; }
  const TlsOptions& tls() const { return tls_; }

  /// Sets everything that depends on the request alone. `handle` must not outlive this.
  void set_on(CURL* handle, const Target& target) const;
  /// What is asked for, and must then be spoken; of another origin, whatever it speaks.
  HttpVersion version(const Target& target) const {
    return target.foreign_origin ? HttpVersion::any : http_.version;
  }
  /// The certificate that `target` may see; null: none. Not for another origin.
  ClientIdentity* identity(const Target& target) const {
    return target.foreign_origin ? nullptr : tls_.identity.get();
  }
  /// What TLS asks for (SNI) and verifies; empty: nothing.
  std::string tls_name(const Target& target) const;

  /// What second handshakes found, by address, name and verdict. They cost the upstream a
  /// connection, so one an hour is made while a chain stays untrusted for the same reason.
  struct Remembered {
    Time when;
    TlsFacts facts;
  };
  mutable std::map<std::string, Remembered> remembered;
  static constexpr std::size_t kMaxRemembered = 64;

 private:
  struct SlistFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  using Slist = std::unique_ptr<curl_slist, SlistFree>;
  static void append(Slist& list, const std::string& line);

  bool configured(std::string_view header) const;
  void append_defaults(Slist& list, bool foreign) const;
  void append_about_body();
  void append_configured();
  const Slist& headers_for(const Target& target) const;
  void set_method(CURL* handle, const Target& target) const;
  std::string url(const Target& target) const;
  void set_tls(CURL* handle, const Target& target) const;
  void set_proxy(CURL* handle, const Target& target) const;

  /// "::host:port" for targets whose TLS name is another, by authority.
  mutable std::map<std::string, Slist> tunnels_;
  HttpOptions http_;
  TlsOptions tls_;
  std::string host_only_;          // http.host without its port
  std::string proxy_credentials_;  // as libcurl wants them; empty: none
  Slist headers_;
  Slist get_headers_;      // where a redirect made a GET of it: nothing about a body
  Slist foreign_headers_;  // for another origin: nothing of ours goes there
  bool own_user_agent_ = false;
};

}  // namespace ua
