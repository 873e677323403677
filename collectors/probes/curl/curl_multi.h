// SPDX-License-Identifier: Apache-2.0
// libcurl's multi handle on our Loop. libcurl never resolves, and never connects but to Unix
// sockets: it is handed connected sockets. Owned by a CurlPool; loop thread.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <vector>

#include "collectors/core/loop.h"

namespace ua {

struct RootCertificates;

/// Before the first handle; any thread, any number of times. Throws std::runtime_error.
void start_libcurl();

class CurlMulti {
 public:
  /// Throws std::runtime_error where libcurl gives no handle.
  /// @param roots for all its transfers; null: none
  CurlMulti(Loop& loop, std::shared_ptr<const RootCertificates> roots);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  /// A handle with the options that never change set; give it back with release(). New each time:
  /// that costs less than a microsecond. An errno sticks to a handle (libcurl before 8.8), and so
  /// does a pointer to a header of its last answer (before 8.1.1), which a folded line as the next
  /// answer's first header makes libcurl write to after it was freed.
  CURL* acquire();
  void release(CURL* handle) { curl_easy_cleanup(handle); }

  /// Starts the transfer. `done` is called once with libcurl's code, unless remove() comes first.
  void add(CURL* handle, std::function<void(CURLcode)>* done);
  void remove(CURL* handle);

 private:
  static int on_socket(CURL* handle, curl_socket_t fd, int what, void* self, void* known) noexcept;
  static int on_timer(CURLM* multi, long milliseconds, void* self) noexcept;
  void set_up(CURL* handle) const;
  void act(curl_socket_t fd, int events);
  void collect();

  Loop& loop_;
  CURLM* multi_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  std::shared_ptr<const RootCertificates> roots_;
  std::vector<Watch> watches_;  // by descriptor
  Timer timer_;
};

}  // namespace ua
