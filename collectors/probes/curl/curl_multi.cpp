// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/curl/curl_multi.h"

#include <sys/epoll.h>

#include <stdexcept>
#include <utility>

#include "collectors/probes/curl/root_certificates.h"

namespace ua {

void start_libcurl() {
  // Before 7.84 not safe to call from several threads.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::runtime_error("libcurl could not start");
}

CurlMulti::CurlMulti(Loop& loop, std::shared_ptr<const RootCertificates> roots)
    : loop_(loop), roots_(std::move(roots)) {
  start_libcurl();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::runtime_error("libcurl could not make a multi handle");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // The address does not matter: the socket handed over is connected already. It only keeps libcurl
  // from resolving the URL's host.
  connect_to_ = curl_slist_append(nullptr, "::127.0.0.1:1");
}

CurlMulti::~CurlMulti() {
  curl_multi_cleanup(multi_);
  curl_slist_free_all(connect_to_);
}

void CurlMulti::set_up(CURL* handle) const {
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(handle, CURLOPT_CONNECT_TO, connect_to_);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 4096L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  // Debian compiles a CA directory in; with it set libcurl parses the bundle anew for every
  // connection, 22 ms each.
  curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(handle, CURLOPT_CAINFO, roots_ == nullptr ? nullptr : roots_->path().c_str());
  curl_easy_setopt(handle, CURLOPT_CA_CACHE_TIMEOUT, -1L);  // a changed file gets a new CurlMulti
}

CURL* CurlMulti::acquire() {
  CURL* handle = curl_easy_init();
  if (handle != nullptr) set_up(handle);
  return handle;
}

void CurlMulti::add(CURL* handle, std::function<void(CURLcode)>* done) {
  curl_easy_setopt(handle, CURLOPT_PRIVATE, done);
  curl_multi_add_handle(multi_, handle);
}

void CurlMulti::remove(CURL* handle) { curl_multi_remove_handle(multi_, handle); }

int CurlMulti::on_socket(CURL* /*handle*/, curl_socket_t fd, int what, void* self,
                         void* /*known*/) noexcept {
  auto& engine = *static_cast<CurlMulti*>(self);
  const auto index = static_cast<std::size_t>(fd);
  if (index >= engine.watches_.size()) engine.watches_.resize(index + 1);
  Watch& watch = engine.watches_[index];
  if (what == CURL_POLL_REMOVE) {
    watch.cancel();
    return 0;
  }
  const std::uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (watch) {
    watch.set(events);
  } else {
    watch = engine.loop_.watch(fd, events, [&engine, fd](std::uint32_t ready) {
      const int action = ((ready & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                         ((ready & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                         ((ready & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
      engine.act(fd, action);
    });
  }
  return 0;
}

int CurlMulti::on_timer(CURLM* /*multi*/, long milliseconds, void* self) noexcept {
  auto& engine = *static_cast<CurlMulti*>(self);
  if (milliseconds < 0) {
    engine.timer_.cancel();
  } else {
    engine.timer_ = engine.loop_.after(std::chrono::milliseconds(milliseconds),
                                       [&engine] { engine.act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

void CurlMulti::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  collect();
}

void CurlMulti::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* pointer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
    (*reinterpret_cast<std::function<void(CURLcode)>*>(pointer))(code);
  }
}

}  // namespace ua
