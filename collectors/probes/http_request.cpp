// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http_request.h"

#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/endpoint.h"

namespace ua {
namespace {

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

/// "host:port" without the port.
std::string host_part(const std::string& host) {
  const std::size_t colon = host.rfind(':');
  const bool port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  return port ? host.substr(0, colon) : host;
}

}  // namespace

void HttpRequest::append(Slist& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

HttpRequest::HttpRequest(HttpOptions http, TlsOptions tls)
    : http_(std::move(http)), tls_(std::move(tls)), host_only_(host_part(http_.host)) {
  for (Slist* list : {&headers_, &foreign_headers_}) {
    append(*list, "Connection: close");
    append(*list, "Accept: */*");
  }
  if (!http_.host.empty()) append(headers_, "Host: " + http_.host);
  if (!http_.bearer_token.empty()) append(headers_, "Authorization: Bearer " + http_.bearer_token);
  for (const auto& [key, value] : http_.headers) {
    own_user_agent_ = own_user_agent_ || iequals(key, "User-Agent");
    std::string line = key;
    line += value.empty() ? ";" : ": ";
    append(headers_, line.append(value));
  }
}

const std::string& HttpRequest::tls_name(const Target& target) const {
  if (target.foreign_origin) return target.host;
  if (!tls_.server_name.empty()) return tls_.server_name;
  return host_only_.empty() || ip_endpoint(host_only_, 0) ? target.host : host_only_;
}

std::string HttpRequest::url(const Target& target) const {
  // The URL's host is what TLS asks for (SNI) and verifies; the Host header is set apart.
  const bool tls = target.is_tls();
  const std::string host = tls ? tls_name(target) : (target.is_unix() ? "localhost" : target.host);
  const std::string port = target.is_unix() ? "" : ':' + std::to_string(target.port);
  return (tls ? "https://" : "http://") + bracketed(host) + port + target.path;
}

void HttpRequest::set_on(CURL* handle, const Target& target, const std::string& ca_bundle) const {
  const bool foreign = target.foreign_origin;
  curl_easy_setopt(handle, CURLOPT_URL, url(target).c_str());
  // libcurl must know the family of the socket that it is handed.
  curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH,
                   target.is_unix() ? target.unix_path.c_str() : nullptr);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, (foreign ? foreign_headers_ : headers_).get());
  curl_easy_setopt(handle, CURLOPT_USERAGENT,
                   own_user_agent_ && !foreign ? nullptr : "upstream-agent/" UA_VERSION);
  curl_easy_setopt(handle, CURLOPT_NOBODY, http_.method == "HEAD" ? 1L : 0L);
  if (http_.method == "GET") {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, nullptr);
  } else {
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, http_.method.c_str());
  }
  const bool basic = !http_.basic_auth.empty() && !foreign;
  curl_easy_setopt(handle, CURLOPT_HTTPAUTH, basic ? CURLAUTH_BASIC : CURLAUTH_NONE);
  curl_easy_setopt(handle, CURLOPT_USERPWD, basic ? http_.basic_auth.c_str() : nullptr);
  set_tls(handle, target, ca_bundle);
}

void HttpRequest::set_tls(CURL* handle, const Target& target, const std::string& ca_bundle) const {
  const long on = target.is_tls() ? 1L : 0L;
  curl_easy_setopt(handle, CURLOPT_CERTINFO, on);
  curl_easy_setopt(handle, CURLOPT_VERBOSE, on);  // the debug text tells protocol and demands
  if (on == 0) return;
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls_.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls_.insecure_skip_verify ? 0L : 2L);
  const std::string& bundle = tls_.ca_file.empty() ? ca_bundle : tls_.ca_file;
  if (!bundle.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, bundle.c_str());
}

}  // namespace ua
