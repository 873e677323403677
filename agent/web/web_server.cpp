// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_server.h"

#include <microhttpd.h>

#include <gnutls/abstract.h>

#include <new>
#include <system_error>

#include "agent/web/mhd_request.h"
#include "agent/web/web_server_impl.h"

namespace ua {
namespace {

constexpr std::size_t kConnectionMemory = 32768;  // request line and headers must fit
/// Longer than a reload may take; a page of a million series takes a second where it is compressed.
constexpr Duration kHangs = 20s;

/// Paths must match as they are sent: unescaped, "/metrics%00x" would end at its zero byte.
std::size_t leave_escaped(void* /*closure*/, MHD_Connection* /*connection*/, char* text) noexcept {
  return std::string_view(text).size();
}

/// libmicrohttpd wants to know where certificates come from; each session gets its own instead.
int no_certificate(gnutls_session_t /*session*/, const gnutls_datum_t* /*authorities*/,
                   int /*count*/, const gnutls_pk_algorithm_t* /*algorithms*/,
                   int /*algorithm_count*/, gnutls_pcert_st** /*chain*/, unsigned* /*size*/,
                   gnutls_privkey_t* /*key*/) noexcept {
  return -1;
}

}  // namespace

WebServer::Impl::~Impl() {
  acceptor.reset();
  parking->close(text_reply(503, "The agent is stopping.\n"));
  for (MHD_Daemon* const one : {daemon, tls_daemon}) {
    if (one != nullptr) MHD_stop_daemon(one);
  }
}

MHD_Daemon* WebServer::Impl::start_daemon(unsigned flags, std::size_t max_connections) {
  // Its own limit is there for the case that ours were wrong.
  return MHD_start_daemon(
      flags | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
      0, nullptr, nullptr, &Impl::on_request, this, MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(2 * max_connections + 16), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionMemory, MHD_OPTION_URI_LOG_CALLBACK, &Impl::on_uri, this,
      MHD_OPTION_UNESCAPE_CALLBACK, &leave_escaped, nullptr, MHD_OPTION_NOTIFY_CONNECTION,
      &Impl::on_connection, this, MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_completed, this,
      (flags & MHD_USE_TLS) != 0 ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, &no_certificate,
      MHD_OPTION_END);
}

Result<void> WebServer::Impl::start(std::vector<ListenSocket> sockets,
                                    std::size_t max_connections) {
  daemon = start_daemon(MHD_NO_FLAG, max_connections);
  tls_daemon = start_daemon(MHD_USE_TLS, max_connections);
  if (daemon == nullptr) return fail("cannot start the HTTP server");
  if (tls_daemon == nullptr && certificate != nullptr) {
    return fail("cannot start the HTTPS server: is this libmicrohttpd built without TLS?");
  }
  std::vector<UniqueFd> listeners;
  for (ListenSocket& socket : sockets) {
    listeners.push_back(std::move(socket.fd));
    addresses.push_back(std::move(socket.text));
    files.push_back(std::move(socket.file));
  }
  try {
    acceptor = std::make_unique<Acceptor>(
        std::move(listeners), connections, now,
        [this](UniqueFd fd, const sockaddr* peer, socklen_t size) {
          return take(std::move(fd), peer, size);
        },
        [this](Time time) { return sweep(time); });
  } catch (const std::system_error& error) {
    return fail(std::string("cannot start the HTTP server: ") + error.what(), error.code().value());
  }
  return {};
}

std::shared_ptr<const TlsCredentials> WebServer::Impl::wanted_credentials() {
  const std::lock_guard lock(certificate_mutex);
  return certificate;
}

/// A Unix socket needs no TLS: its file decides who may connect, and nobody listens in.
bool WebServer::Impl::take(UniqueFd fd, const sockaddr* peer, socklen_t size) {
  const bool tls = peer->sa_family != AF_UNIX && wanted_credentials() != nullptr;
  MHD_Daemon* const serving = tls ? tls_daemon : daemon;
  if (serving == nullptr) return false;
  return MHD_add_connection(serving, fd.release(), peer, size) == MHD_YES;  // closes it itself
}

/// @return whether there is more to do later
bool WebServer::Impl::sweep(Time time) {
  connections.end_overdue(time);
  parking->expire(time);
  pages.expire();
  return !connections.empty() || !pages.empty();  // in this order: connections make pages
}

void WebServer::Impl::on_connection(void* self, MHD_Connection* connection, void** channel,
                                    MHD_ConnectionNotificationCode code) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) return impl.begin_connection(connection, channel);
  impl.connections.closed(connection);
  delete static_cast<TlsChannel*>(*channel);  // its session is gone already
  *channel = nullptr;
}

/// A TLS connection that gets no channel fails in its handshake.
void WebServer::Impl::begin_connection(MHD_Connection* connection, void** channel) {
  const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  const MHD_ConnectionInfo* session =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  connections.opened(connection, Connections::peer_of(peer_address(connection)), fd, now(),
                     session != nullptr);
  const auto wanted = wanted_credentials();
  if (session == nullptr || wanted == nullptr) return;
  *channel = new (std::nothrow)
      TlsChannel(static_cast<gnutls_session_t>(session->tls_session), wanted,
                 [this, connection] { connections.awaits_request(connection, now()); });
}

/// Whether the connection is what is asked for now; it began when something else may have been.
bool WebServer::Impl::may_go_on(MHD_Connection* connection) {
  const TlsChannel* const channel = channel_of(connection);
  const auto wanted = wanted_credentials();
  if (channel != nullptr) {
    return channel->is_open() && wanted != nullptr && channel->credentials().asks_the_same(*wanted);
  }
  const sockaddr* const peer = peer_address(connection);
  return wanted == nullptr || (peer != nullptr && peer->sa_family == AF_UNIX);
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WebServer::~WebServer() = default;

void WebServer::use_credentials(std::shared_ptr<const TlsCredentials> credentials) {
  const std::lock_guard lock(impl_->certificate_mutex);
  impl_->certificate = std::move(credentials);
}

void WebServer::use_users(const std::vector<WebUser>& users) { impl_->logins.set_users(users); }

bool WebServer::hangs() const { return impl_->connections.longest_making(impl_->now()) > kHangs; }

const std::vector<std::string>& WebServer::addresses() const { return impl_->addresses; }

Result<std::unique_ptr<WebServer>> WebServer::start(const WebConfig& config,
                                                    ConnectionLimits limits, WebHandlers handlers,
                                                    std::function<Time()> now,
                                                    WebDeadlines deadlines) {
  std::vector<ListenSocket> sockets;
  for (const ListenAddress& address : config.listen_addresses) {
    Result<ListenSocket> socket = open_listen_socket(address);
    if (!socket) return tl::unexpected(socket.error());
    sockets.push_back(std::move(*socket));
  }
  auto impl = std::make_unique<Impl>(std::move(handlers), std::move(now), limits, deadlines);
  impl->certificate = config.credentials;
  impl->logins.set_users(config.users);
  const Result<void> started = impl->start(std::move(sockets), limits.all);
  if (!started) return tl::unexpected(started.error());
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

}  // namespace ua
