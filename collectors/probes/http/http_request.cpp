// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_request.h"

#include <algorithm>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/curl/curl_pool.h"
#include "collectors/probes/net/endpoint.h"

namespace ua {
namespace {

constexpr const char* kNoName = "0.0.0.0";  // libcurl sends no address as a server name

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

/// "host:port" without the port, "[v6]:port" without the brackets too.
std::string host_part(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

/// "user:password" as CURLOPT_PROXYUSERPWD, unlike CURLOPT_USERPWD, decodes it.
std::string percent_encoded(std::string_view credentials) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const std::size_t colon = credentials.find(':');
  std::string result;
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    const auto byte = static_cast<unsigned char>(credentials[i]);
    if (i == colon) {
      result += ':';
    } else {
      result += {'%', kHex[byte >> 4U], kHex[byte & 0xfU]};
    }
  }
  return result;
}

long libcurl_name(TlsVersion version) {
  switch (version) {
    case TlsVersion::v1_0:
      return CURL_SSLVERSION_TLSv1_0;
    case TlsVersion::v1_1:
      return CURL_SSLVERSION_TLSv1_1;
    case TlsVersion::v1_2:
      return CURL_SSLVERSION_TLSv1_2;
    case TlsVersion::v1_3:
      return CURL_SSLVERSION_TLSv1_3;
    case TlsVersion::system:
      break;
  }
  return CURL_SSLVERSION_DEFAULT;
}

long libcurl_name(HttpVersion version) {
  switch (version) {
    case HttpVersion::v1_0:
      return CURL_HTTP_VERSION_1_0;
    case HttpVersion::v1_1:
      return CURL_HTTP_VERSION_1_1;
    case HttpVersion::v2_prior:
      return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    case HttpVersion::any:
    case HttpVersion::v2:
      break;
  }
  return CURL_HTTP_VERSION_2TLS;  // without TLS that is 1.1
}

}  // namespace

void HttpRequest::append(Slist& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

HttpRequest::HttpRequest(HttpOptions http, TlsOptions tls)
    : http_(std::move(http)), tls_(std::move(tls)), host_only_(host_part(http_.host)) {
  for (Slist* list : {&headers_, &get_headers_, &foreign_headers_}) {
    append_defaults(*list, list == &foreign_headers_);
  }
  append_about_body();
  append_configured();
  if (http_.proxy != nullptr) proxy_credentials_ = percent_encoded(http_.proxy->basic_auth);
}

bool HttpRequest::configured(std::string_view name) const {
  return std::any_of(http_.headers.begin(), http_.headers.end(),
                     [name](const auto& header) { return iequals(header.first, name); });
}

void HttpRequest::append_defaults(Slist& list, bool foreign) const {
  append(list, "Connection: close");
  if (foreign || !configured("Accept")) append(list, "Accept: */*");
  if (foreign) return;
  if (!http_.host.empty()) append(list, "Host: " + http_.host);
  if (!http_.bearer_token.empty()) append(list, "Authorization: Bearer " + http_.bearer_token);
}

void HttpRequest::append_about_body() {
  // A method that has a meaning for a body says that there is none (RFC 9110 section 8.6).
  const bool about_body =
      http_.method == "POST" || http_.method == "PUT" || http_.method == "PATCH";
  if (http_.body.empty()) {
    if (about_body) append(headers_, "Content-Length: 0");
    if (about_body) append(foreign_headers_, "Content-Length: 0");
    return;
  }
  // What libcurl would add by itself: the type of a form, and a question whether to go on.
  if (!configured("Content-Type")) append(headers_, "Content-Type:");
  if (!configured("Expect")) append(headers_, "Expect:");
}

void HttpRequest::append_configured() {
  for (const auto& [key, value] : http_.headers) {
    own_user_agent_ = own_user_agent_ || iequals(key, "User-Agent");
    std::string line = key;
    line += trim(value).empty() ? ";" : ": ";  // libcurl takes a blank value for no header at all
    line += trim(value);
    append(headers_, line);
    if (!to_lower(key).starts_with("content-")) append(get_headers_, line);
  }
}

std::string HttpRequest::tls_name(const Target& target) const {
  if (target.foreign_origin) return target.host;
  if (!tls_.send_server_name) return {};
  if (!tls_.server_name.empty()) return tls_.server_name;
  return host_only_.empty() || ip_endpoint(host_only_, 0) ? target.host : host_only_;
}

std::string HttpRequest::url(const Target& target) const {
  // The URL's host is what TLS asks for (SNI) and verifies; the Host header is set apart.
  const bool tls = target.is_tls();
  std::string host = tls ? tls_name(target) : (target.is_unix() ? "localhost" : target.host);
  if (host.empty()) host = kNoName;
  const std::string port = target.is_unix() ? "" : ':' + std::to_string(target.port);
  return (tls ? "https://" : "http://") + bracketed(host) + port + target.path;
}

void HttpRequest::set_on(CURL* handle, const Target& target) const {
  const bool foreign = target.foreign_origin;
  curl_easy_setopt(handle, CURLOPT_URL, url(target).c_str());
  // libcurl must know the family of the socket that it is handed.
  curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH,
                   target.is_unix() ? target.unix_path.c_str() : nullptr);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_for(target).get());
  curl_easy_setopt(handle, CURLOPT_USERAGENT,
                   own_user_agent_ && !foreign ? nullptr : "upstream-agent/" UA_VERSION);
  set_method(handle, target);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, libcurl_name(version(target)));
  // The debug text tells what TLS agreed on and asked for, and which streams were refused.
  const bool talkative = target.is_tls() || version(target) == HttpVersion::v2_prior;
  curl_easy_setopt(handle, CURLOPT_VERBOSE, talkative ? 1L : 0L);
  const bool basic = !http_.basic_auth.empty() && !foreign;
  curl_easy_setopt(handle, CURLOPT_HTTPAUTH, basic ? CURLAUTH_BASIC : CURLAUTH_NONE);
  curl_easy_setopt(handle, CURLOPT_USERPWD, basic ? http_.basic_auth.c_str() : nullptr);
  set_tls(handle, target);
  if (http_.proxy != nullptr) set_proxy(handle, target);
}

void HttpRequest::set_proxy(CURL* handle, const Target& target) const {
  // Connected already: the address only keeps libcurl from resolving.
  curl_easy_setopt(handle, CURLOPT_PROXY, "http://127.0.0.1:1");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "");
  // With it the tunnel leads elsewhere than the URL says, and plain HTTP takes a tunnel too.
  curl_slist* connect_to = nullptr;
  if (target.is_tls() && tls_name(target) != target.host) {
    Slist& tunnel = tunnels_[target.authority()];
    if (tunnel == nullptr) append(tunnel, "::" + target.authority());
    connect_to = tunnel.get();
  }
  curl_easy_setopt(handle, CURLOPT_CONNECT_TO, connect_to);
  curl_easy_setopt(handle, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  const bool basic = !proxy_credentials_.empty();
  curl_easy_setopt(handle, CURLOPT_PROXYAUTH, basic ? CURLAUTH_BASIC : CURLAUTH_NONE);
  if (basic) curl_easy_setopt(handle, CURLOPT_PROXYUSERPWD, proxy_credentials_.c_str());
}

const HttpRequest::Slist& HttpRequest::headers_for(const Target& target) const {
  if (target.foreign_origin) return foreign_headers_;
  return target.as_get ? get_headers_ : headers_;
}

/// On a fresh handle, which is set to GET.
void HttpRequest::set_method(CURL* handle, const Target& target) const {
  if (target.as_get) return;
  if (http_.method == "HEAD") curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  if (!http_.body.empty()) {  // not copied: `handle` does not outlive this
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(http_.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, http_.body.data());
  }
  if (http_.method != "GET" || !http_.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, http_.method.c_str());
  }
}

void HttpRequest::set_tls(CURL* handle, const Target& target) const {
  if (!target.is_tls()) return;
  curl_easy_setopt(handle, CURLOPT_CERTINFO, 1L);
  // What is spoken after a handshake alone is not known: a server may refuse what is offered.
  if (target.scheme == "tls") curl_easy_setopt(handle, CURLOPT_SSL_ENABLE_ALPN, 0L);
  if (tls_.min_version != TlsVersion::system) {
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, libcurl_name(tls_.min_version));
  }
  // Both sign with SHA-1, which OpenSSL does not do above this level.
  if (tls_.min_version == TlsVersion::v1_0 || tls_.min_version == TlsVersion::v1_1) {
    curl_easy_setopt(handle, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0");
  }
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls_.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls_.insecure_skip_verify ? 0L : 2L);
}

}  // namespace ua
