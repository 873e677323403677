// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/client_identity.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"
#include "collectors/core/unique_fd.h"
#include "collectors/probes/curl/curl_multi.h"
#include "collectors/probes/curl/curl_socket.h"
#include "collectors/probes/net/endpoint.h"
#include "collectors/probes/tls/pem.h"

namespace ua {
namespace {

constexpr std::size_t kMaxPem = 256UL * 1024;

ClientIdentity::Pem read_both(const std::string& cert_file, const std::string& key_file) {
  auto certificate = read_client_certificate(cert_file);
  if (!certificate) return tl::unexpected(certificate.error());
  auto key = read_client_key(key_file);
  if (!key) return tl::unexpected(key.error());
  return std::make_shared<const ClientPem>(ClientPem{std::move(*certificate), std::move(*key)});
}

/// Two ends over loopback, as libcurl takes no pair of Unix sockets; both empty where there is
/// none.
std::pair<UniqueFd, UniqueFd> connected_pair() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Endpoint place = *ip_endpoint("127.0.0.1", 0);
  auto* address = reinterpret_cast<sockaddr*>(&place.storage);
  if (::bind(listener.get(), address, place.size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), address, &place.size) != 0) {
    return {};
  }
  // Only after a connect that did not block does libcurl's own, which follows, find it connected.
  UniqueFd ours(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int connecting = ::connect(ours.get(), address, place.size);
  if (connecting != 0 && errno != EINPROGRESS) return {};
  return {std::move(ours), UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))};
}

struct EasyFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

}  // namespace

Result<std::string> read_client_certificate(const std::string& file) {
  Result<std::string> text = read_regular_file(file, kMaxPem);
  if (text && !has_pem_certificate(*text)) return fail(file + " holds no PEM certificate");
  return text;
}

Result<std::string> read_client_key(const std::string& file) {
  Result<std::string> text = read_private_file(file, kMaxPem);
  if (!text) return text;
  switch (pem_key_kind(*text)) {
    case PemKey::plain:
      return text;
    case PemKey::encrypted:
      return fail(file + " is encrypted, and there is nobody to ask for its passphrase; write it " +
                  "without one: openssl pkey -in " + file + " -out NEW");
    case PemKey::none:
      break;
  }
  return fail(file + " holds no PEM private key");
}

void set_client_pem(CURL* handle, const ClientPem& pem) {
  const auto blob = [handle](CURLoption option, const std::string& text) {
    // libcurl only reads it.
    curl_blob value{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(handle, option, &value);
  };
  blob(CURLOPT_SSLCERT_BLOB, pem.certificate);
  blob(CURLOPT_SSLKEY_BLOB, pem.key);
  // Without one OpenSSL would ask the terminal for the passphrase of a key that needs one.
  curl_easy_setopt(handle, CURLOPT_KEYPASSWD, "");
}

std::string pair_mistake(const ClientPem& pem) {
  start_libcurl();
  const std::unique_ptr<CURL, EasyFree> handle(curl_easy_init());
  auto [ours, peer] = connected_pair();
  if (handle == nullptr || !peer) return "";
  ::shutdown(peer.get(), SHUT_WR);  // a handshake that begins ends at once
  std::array<char, CURL_ERROR_SIZE> text{};
  CurlSocket socket;
  socket.attach(handle.get(), std::move(ours), nullptr);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_URL, "https://0.0.0.0/");
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, 1000L);
  curl_easy_setopt(handle.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(handle.get(), CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, text.data());
  set_client_pem(handle.get(), pem);
  if (curl_easy_perform(handle.get()) != CURLE_SSL_CERTPROBLEM) return "";
  return text[0] != '\0' ? text.data() : "libcurl cannot use it";
}

std::string not_a_pair(std::string_view libcurl_says) {
  std::string result = "cert_file and key_file are no certificate and the key that belongs to it";
  if (!libcurl_says.empty()) result.append(" (").append(libcurl_says).append(1, ')');
  return result;
}

void ClientIdentity::read(Worker& worker, Time now, const Then& then) {
  const auto read = [cert_file = cert_file_, key_file = key_file_] {
    return read_both(cert_file, key_file);
  };
  pem_.get(worker, now, read, then);
}

}  // namespace ua
