// SPDX-License-Identifier: Apache-2.0
// The inside of the WebServer, for its two source files alone: web_server.cpp has its life and its
// connections, web_requests.cpp what becomes of a request.
#pragma once

#include <microhttpd.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/web/acceptor.h"
#include "agent/web/basic_auth.h"
#include "agent/web/listen_socket.h"
#include "agent/web/logins.h"
#include "agent/web/parking.h"
#include "agent/web/request_head.h"
#include "agent/web/router.h"
#include "agent/web/shared_pages.h"
#include "agent/web/tls_channel.h"
#include "agent/web/web_server.h"

namespace ua {

/// One request between its first and its last callback.
struct WebRequest {
  std::string_view uri;
  bool begun = false;
  bool parked = false;
  bool logged_in = false;
  WebReply reply;  // of a parked one
};

/// Null for a connection without TLS.
inline TlsChannel* channel_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info != nullptr ? static_cast<TlsChannel*>(info->socket_context) : nullptr;
}

struct WebServer::Impl {
  Impl(WebHandlers h, std::function<Time()> clock, ConnectionLimits limits, WebDeadlines deadlines)
      : handlers(std::move(h)),
        now(std::move(clock)),
        connections(limits, deadlines),
        pages(now),
        logins(limits.all) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start(std::vector<ListenSocket> sockets, std::size_t max_connections);
  MHD_Daemon* start_daemon(unsigned flags, std::size_t max_connections);
  std::shared_ptr<const TlsCredentials> wanted_credentials();
  bool take(UniqueFd fd, const sockaddr* peer, socklen_t size);
  bool sweep(Time time);
  void begin_connection(MHD_Connection* connection, void** channel);
  bool may_go_on(MHD_Connection* connection);

  MHD_Result begin(MHD_Connection* connection, const Route& route, const RequestHead& head);
  MHD_Result serve(MHD_Connection* connection, WebRequest& request, const Route& route);
  std::optional<MHD_Result> log_in(MHD_Connection* connection, WebRequest& request,
                                   const Route& route);
  MHD_Result begin_login(MHD_Connection* connection, WebRequest& request,
                         const BasicCredentials& credentials);
  std::optional<std::string> refuse_access(MHD_Connection* connection, const WebRequest& request,
                                           Page page);
  SharedPages::Made page(const Route& route, MHD_Connection* connection);
  SharedPages::Made large_page(const Route& route, MHD_Connection* connection);
  MHD_Result begin_reload(MHD_Connection* connection, WebRequest& request);
  MHD_Result send(MHD_Connection* connection, std::string_view handler, SharedPages::Made made);
  MHD_Result send(MHD_Connection* connection, std::string_view handler, WebReply reply) {
    return send(connection, handler, std::make_shared<const WebReply>(std::move(reply)));
  }

  static void* on_uri(void* self, const char* uri, MHD_Connection* connection) noexcept;
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** state) noexcept;
  static void on_connection(void* self, MHD_Connection* connection, void** state,
                            MHD_ConnectionNotificationCode code) noexcept;
  static void on_completed(void* self, MHD_Connection* connection, void** state,
                           MHD_RequestTerminationCode code) noexcept;

  WebHandlers handlers;
  std::function<Time()> now;
  Connections connections;
  SharedPages pages;
  std::shared_ptr<Parking> parking = std::make_shared<Parking>();
  MHD_Daemon* daemon = nullptr;
  MHD_Daemon* tls_daemon = nullptr;  // another: libmicrohttpd's do the one or the other
  std::mutex certificate_mutex;
  std::shared_ptr<const TlsCredentials> certificate;
  Logins logins;
  std::vector<std::string> addresses;
  std::vector<UnixSocketFile> files;
  std::unique_ptr<Acceptor> acceptor;
};

}  // namespace ua
