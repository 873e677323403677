// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/agent_client.h"

#include <curl/curl.h>

#include <memory>
#include <new>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr long kConnectMilliseconds = 3000;
constexpr long kTotalMilliseconds = 15'000;
constexpr std::size_t kMostBytes = std::size_t{1} << 28U;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyCleanup>;

std::size_t collect(char* data, std::size_t /*one*/, std::size_t size, void* into) noexcept {
  try {
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size > kMostBytes) return 0;
    body.append(data, size);
    return size;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

void set_access(CURL* easy, const AgentAccess& access) {
  if (!access.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, access.unix_socket.c_str());
  }
  if (!access.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, access.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, access.password.c_str());
  }
  if (!access.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(easy, CURLOPT_CAINFO, access.ca_file.c_str());
  }
  if (access.identity) set_client_pem(easy, *access.identity);
}

std::string place(const AgentAccess& access) {
  return access.unix_socket.empty() ? access.url : "unix:" + access.unix_socket;
}

/// What to do about it; empty where nothing is known.
std::string_view advice(const AgentAccess& access, CURLcode code, std::string_view why) {
  const auto says = [&](std::string_view words) { return why.find(words) != why.npos; };
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return "; name it as its certificate does with --url, and its authority with --ca-file";
  }
  if (code == CURLE_COULDNT_CONNECT) {
    return "; is it running (systemctl status upstream-agent), and there (--url)?";
  }
  if (says("wrong version number") || says("SSL_ERROR_SYSCALL")) {
    return "; it may not serve over TLS there: --url http://...";
  }
  if (code == CURLE_GOT_NOTHING || says("HTTP/0.9")) {
    return "; does it serve over TLS there (--url https://...)?";
  }
  // With TLS 1.3 a refusal comes after the handshake, and our request may fail before it is read.
  const bool cut_off = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
  if (!says("alert") && !(cut_off && access.url.starts_with("https:"))) return "";
  return access.identity ? "; it may not take the certificate of --cert-file"
                         : "; it may want a certificate: --cert-file FILE --key-file FILE";
}

std::string no_answer(const AgentAccess& access, CURLcode code, const char* details) {
  const std::string why = *details != '\0' ? details : curl_easy_strerror(code);
  return "no answer from an agent at " + escape_line(place(access)) + ": " + escape_line(why) +
         std::string(advice(access, code, why));
}

std::string refused(const AgentAccess& access, long status, const std::string& body) {
  const std::string where = escape_line(place(access));
  if (status == 401) {
    return access.user.empty()
               ? "the agent at " + where + " wants a user: --user NAME --password-file FILE"
               : "the agent at " + where + " does not take this user and password";
  }
  if (status == 404) {
    return "what answers at " + where + " has no such page: another program, or an older agent";
  }
  std::string_view first = trim(body);
  first = first.substr(0, first.find('\n'));
  return "the agent at " + where + " answers " + std::to_string(status) + ": " +
         escape_line(first, 300);
}

}  // namespace

AgentAccess access_of(const WebConfig& web) {
  AgentAccess result;
  const ListenAddress& address = web.listen_addresses.front();
  if (!address.unix_path.empty()) {
    result.url = "http://localhost";
    result.unix_socket = address.unix_path;
    return result;
  }
  std::string host = address.host;
  // An address that stands for all of them is asked on loopback.
  if (host.empty() || host == "0.0.0.0" || host == "::") host = "localhost";
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  result.url = (web.tls ? "https://" : "http://") + host + ':' + std::to_string(address.port);
  return result;
}

Result<std::string> ask_agent(const AgentAccess& access, const std::string& path) {
  const Easy easy(curl_easy_init());
  if (!easy) return fail("libcurl cannot be used");
  std::string body;
  char details[CURL_ERROR_SIZE] = "";  // NOLINT(modernize-avoid-c-arrays): libcurl's
  CURL* const handle = easy.get();
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, kTotalMilliseconds);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(handle, CURLOPT_URL, (access.url + path).c_str());
  set_access(handle, access);
  const CURLcode code = curl_easy_perform(handle);
  if (code != CURLE_OK) return fail(no_answer(access, code, details));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return fail(refused(access, status, body));
  return body;
}

}  // namespace ua
