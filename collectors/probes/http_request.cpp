// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http_request.h"

#include <algorithm>
#include <utility>

#include "collectors/core/text.h"
#include "collectors/probes/curl_pool.h"
#include "collectors/probes/endpoint.h"

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

}  // namespace

void HttpRequest::append(Slist& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

HttpRequest::HttpRequest(HttpOptions http, TlsOptions tls)
    : http_(std::move(http)), tls_(std::move(tls)), host_only_(host_part(http_.host)) {
  append_default_headers();
  if (!http_.host.empty()) append(headers_, "Host: " + http_.host);
  if (!http_.bearer_token.empty()) append(headers_, "Authorization: Bearer " + http_.bearer_token);
  for (const auto& [key, value] : http_.headers) {
    own_user_agent_ = own_user_agent_ || iequals(key, "User-Agent");
    std::string line = key;
    line += value.empty() ? ";" : ": ";
    append(headers_, line.append(value));
  }
}

void HttpRequest::append_default_headers() {
  const auto configured = [this](std::string_view name) {
    return std::any_of(http_.headers.begin(), http_.headers.end(),
                       [name](const auto& header) { return iequals(header.first, name); });
  };
  append(headers_, "Connection: close");
  append(foreign_headers_, "Connection: close");
  if (!configured("Accept")) append(headers_, "Accept: */*");
  append(foreign_headers_, "Accept: */*");
  // A method that has a meaning for a body says that there is none (RFC 9110 section 8.6).
  const bool about_body =
      http_.method == "POST" || http_.method == "PUT" || http_.method == "PATCH";
  if (about_body && !configured("Content-Length")) append(headers_, "Content-Length: 0");
}

std::string HttpRequest::ca_file() const {
  return tls_.ca_file.empty() ? CurlPool::system_bundle() : tls_.ca_file;
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
  set_tls(handle, target);
}

void HttpRequest::set_tls(CURL* handle, const Target& target) const {
  const long on = target.is_tls() ? 1L : 0L;
  curl_easy_setopt(handle, CURLOPT_CERTINFO, on);
  curl_easy_setopt(handle, CURLOPT_VERBOSE, on);  // the debug text tells protocol and demands
  if (on == 0) return;
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls_.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls_.insecure_skip_verify ? 0L : 2L);
}

}  // namespace ua
