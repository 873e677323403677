// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_server.h"

#include <microhttpd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>

#include "agent/logging.h"
#include "agent/web/acceptor.h"
#include "agent/web/access.h"
#include "agent/web/listen_socket.h"
#include "agent/web/parking.h"
#include "agent/web/request_head.h"
#include "agent/web/router.h"

namespace ua {
namespace {

constexpr std::size_t kConnectionMemory = 32768;  // request line and headers must fit
constexpr Duration kReloadPatience = 10s;
/// Longer than a reload may take; a page of a million series takes a second where it is compressed.
constexpr Duration kHangs = 20s;

WebReply text_reply(unsigned code, std::string body) {
  WebReply reply;
  reply.code = code;
  reply.body = std::move(body);
  return reply;
}

WebReply refusal_reply(const Route& route) {
  if (route.refusal == 404) {
    return text_reply(404,
                      "No such page. There are / (status), /metrics, /-/healthy, /-/ready, "
                      "and POST /-/reload.\n");
  }
  if (route.refusal == 501) return text_reply(501, "This method is not implemented.\n");
  WebReply reply = text_reply(405, "This page takes " + std::string(route.allow) + " only.\n");
  reply.headers.emplace_back("Allow", route.allow);
  return reply;
}

WebReply reload_reply(const Result<std::string>& reloaded) {
  if (reloaded) return text_reply(200, "Reloaded.\n" + *reloaded);
  return text_reply(500, "The configuration was not changed:\n" + reloaded.error().message + '\n');
}

std::string_view header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value != nullptr ? value : "";
}

RequestHead request_head(MHD_Connection* connection, std::string_view method, std::string_view uri,
                         std::string_view version) {
  RequestHead result{method, uri, version, {}, nullptr};
  const int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, nullptr, nullptr);
  result.headers.reserve(static_cast<std::size_t>(std::max(count, 0)));
  MHD_get_connection_values_n(
      connection, MHD_HEADER_KIND,
      [](void* headers, MHD_ValueKind, const char* key, std::size_t key_size, const char* value,
         std::size_t value_size) -> MHD_Result {
        static_cast<decltype(result.headers)*>(headers)->emplace_back(
            std::string_view(key, key_size), std::string_view(value, value_size));
        return MHD_YES;
      },
      &result.headers);
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  // Releases from 1.0 on leave a head in another state, and refuse zero bytes by themselves.
  const bool as_sent = std::string_view(MHD_get_version()).starts_with("0.");
  if (as_sent && info != nullptr) result.end = method.data() + info->header_size;
  return result;
}

AccessRequest access_request(MHD_Connection* connection) {
  AccessRequest result;
  const MHD_ConnectionInfo* peer =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  result.from_loopback = peer != nullptr && is_loopback(peer->client_addr);
  result.host = header(connection, "Host");
  result.origin = header(connection, "Origin");
  MHD_get_connection_values(
      connection, MHD_HEADER_KIND,
      [](void* found, MHD_ValueKind, const char* key, const char*) -> MHD_Result {
        if (is_forwarding(key)) *static_cast<bool*>(found) = true;
        return MHD_YES;
      },
      &result.forwarded);
  return result;
}

/// Paths must match as they are sent: unescaped, "/metrics%00x" would end at its zero byte.
std::size_t leave_escaped(void* /*closure*/, MHD_Connection* /*connection*/, char* text) noexcept {
  return std::string_view(text).size();
}

/// One request between its first and its last callback.
struct Request {
  std::string_view uri;
  bool begun = false;
  bool parked = false;
  WebReply reply;  // of a parked one
};

}  // namespace

struct WebServer::Impl {
  Impl(WebHandlers h, std::function<Time()> clock, unsigned max_connections, WebDeadlines deadlines)
      : handlers(std::move(h)),
        now(std::move(clock)),
        connections({.all = max_connections}, deadlines) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start(std::vector<ListenSocket> sockets, unsigned max_connections);
  bool take(UniqueFd fd, const sockaddr* peer, socklen_t size);
  void sweep(Time time);

  MHD_Result begin(MHD_Connection* connection, const Route& route, const RequestHead& head);
  MHD_Result serve(MHD_Connection* connection, Request& request, std::string_view method,
                   std::string_view path);
  WebReply page(Page page, MHD_Connection* connection);
  MHD_Result begin_reload(MHD_Connection* connection, Request& request);
  MHD_Result send(MHD_Connection* connection, std::string_view handler, WebReply reply);

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
  std::shared_ptr<Parking> parking = std::make_shared<Parking>();
  MHD_Daemon* daemon = nullptr;
  std::vector<std::string> addresses;
  std::vector<UnixSocketFile> files;
  std::unique_ptr<Acceptor> acceptor;
};

WebServer::Impl::~Impl() {
  acceptor.reset();
  parking->close(text_reply(503, "The agent is stopping.\n"));
  if (daemon != nullptr) MHD_stop_daemon(daemon);
}

Result<void> WebServer::Impl::start(std::vector<ListenSocket> sockets, unsigned max_connections) {
  // Its own limit is there for the case that ours were wrong.
  daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
      nullptr, nullptr, &Impl::on_request, this, MHD_OPTION_CONNECTION_LIMIT,
      2 * max_connections + 16, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,
      MHD_OPTION_URI_LOG_CALLBACK, &Impl::on_uri, this, MHD_OPTION_UNESCAPE_CALLBACK,
      &leave_escaped, nullptr, MHD_OPTION_NOTIFY_CONNECTION, &Impl::on_connection, this,
      MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_completed, this, MHD_OPTION_END);
  if (daemon == nullptr) return fail("cannot start the HTTP server");
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
        [this](Time time) { sweep(time); });
  } catch (const std::system_error& error) {
    return fail(std::string("cannot start the HTTP server: ") + error.what(), error.code().value());
  }
  return {};
}

bool WebServer::Impl::take(UniqueFd fd, const sockaddr* peer, socklen_t size) {
  return MHD_add_connection(daemon, fd.release(), peer, size) == MHD_YES;  // closes it itself
}

void WebServer::Impl::sweep(Time time) {
  connections.end_overdue(time);
  parking->expire(time, text_reply(503, "The agent is busy; the reload will follow.\n"));
}

void WebServer::Impl::on_connection(void* self, MHD_Connection* connection, void** /*state*/,
                                    MHD_ConnectionNotificationCode code) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    impl.connections.closed(connection);
    return;
  }
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const MHD_ConnectionInfo* peer =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  impl.connections.opened(connection, Connections::peer_of(peer->client_addr), info->connect_fd,
                          impl.now());
}

void WebServer::Impl::on_completed(void* self, MHD_Connection* connection, void** state,
                                   MHD_RequestTerminationCode /*code*/) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  delete static_cast<Request*>(*state);
  *state = nullptr;
  impl.connections.awaits_request(connection, impl.now());
}

void* WebServer::Impl::on_uri(void* /*self*/, const char* uri,
                              MHD_Connection* /*connection*/) noexcept {
  auto* request = new (std::nothrow) Request;  // on_completed() ends it
  if (request != nullptr) request->uri = uri;
  return request;
}

MHD_Result WebServer::Impl::on_request(void* self, MHD_Connection* connection, const char* url,
                                       const char* method, const char* version,
                                       const char* /*upload*/, std::size_t* upload_size,
                                       void** state) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  if (*state == nullptr) return MHD_NO;  // no memory
  *upload_size = 0;
  auto& request = *static_cast<Request*>(*state);
  try {
    if (request.begun) return impl.serve(connection, request, method, url);
    request.begun = true;
    impl.connections.owes_reply(connection, impl.now());
    return impl.begin(connection, find_route(method, url),
                      request_head(connection, method, request.uri, version));
  } catch (const std::exception&) {  // no memory for a reply: the connection ends
    return MHD_NO;
  }
}

/// Once its head is complete, and nothing of its body was read.
MHD_Result WebServer::Impl::begin(MHD_Connection* connection, const Route& route,
                                  const RequestHead& head) {
  const auto refused = refuse_head(head);
  if (!refused) return MHD_YES;
  WebReply reply = text_reply(refused->code, std::string(refused->text));
  reply.headers.emplace_back("Connection", "close");
  return send(connection, route.handler, std::move(reply));
}

MHD_Result WebServer::Impl::serve(MHD_Connection* connection, Request& request,
                                  std::string_view method, std::string_view path) {
  const Route route = find_route(method, path);
  if (request.parked) return send(connection, route.handler, std::move(request.reply));
  if (route.refusal != 0) return send(connection, route.handler, refusal_reply(route));
  if (!is_public(route.page)) {
    const AccessRequest access = access_request(connection);
    const auto refused =
        route.page == Page::reload ? refuse_action(access) : refuse_private(access);
    if (refused) return send(connection, route.handler, text_reply(403, *refused));
  }
  if (route.page == Page::reload) return begin_reload(connection, request);
  return send(connection, route.handler, page(route.page, connection));
}

WebReply WebServer::Impl::page(Page page, MHD_Connection* connection) {
  try {
    if (page == Page::metrics) {
      return handlers.metrics(header(connection, "Accept"), header(connection, "Accept-Encoding"));
    }
    if (page == Page::status) return handlers.status_page(header(connection, "Accept-Encoding"));
    if (page == Page::healthy) return text_reply(200, "Healthy.\n");
    return handlers.ready() ? text_reply(200, "Ready.\n") : text_reply(503, "Starting.\n");
  } catch (const std::exception& error) {
    log_error("a page failed; the others go on", {{"error", error.what()}});
    return text_reply(500, "This page failed; the others go on. See the agent's log.\n");
  }
}

MHD_Result WebServer::Impl::begin_reload(MHD_Connection* connection, Request& request) {
  const auto ticket = parking->park(connection, request.reply, now() + kReloadPatience);
  if (!ticket) return MHD_NO;
  request.parked = true;
  try {
    handlers.reload([place = parking, ticket = *ticket](const Result<std::string>& reloaded) {
      place->answer(ticket, reload_reply(reloaded));
    });
  } catch (const std::exception& error) {
    log_error("a reload failed", {{"error", error.what()}});
    parking->answer(*ticket, text_reply(500, "The reload failed. See the agent's log.\n"));
  }
  return MHD_YES;
}

MHD_Result WebServer::Impl::send(MHD_Connection* connection, std::string_view handler,
                                 WebReply reply) {
  // Handed over, not copied: a page of a million series has 90 MB.
  const std::size_t size = reply.body.size();
  auto body = std::make_unique<std::string>(std::move(reply.body));
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), [](void* owned) { delete static_cast<std::string*>(owned); },
      body.get());
  if (response == nullptr) return MHD_NO;
  [[maybe_unused]] const std::string* now_its_own = body.release();
  MHD_add_response_header(response, "Content-Type", reply.content_type.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Cache-Control", "no-store");
  for (const auto& [name, value] : reply.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  connections.sends_reply(connection, size, now());
  const MHD_Result queued = MHD_queue_response(connection, reply.code, response);
  MHD_destroy_response(response);
  handlers.count(handler, reply.code);
  return queued;
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WebServer::~WebServer() = default;

bool WebServer::hangs() const { return impl_->connections.longest_making(impl_->now()) > kHangs; }

const std::vector<std::string>& WebServer::addresses() const { return impl_->addresses; }

Result<std::unique_ptr<WebServer>> WebServer::start(const WebConfig& config,
                                                    unsigned max_connections, WebHandlers handlers,
                                                    std::function<Time()> now,
                                                    WebDeadlines deadlines) {
  std::vector<ListenSocket> sockets;
  for (const ListenAddress& address : config.listen_addresses) {
    Result<ListenSocket> socket = open_listen_socket(address);
    if (!socket) return tl::unexpected(socket.error());
    sockets.push_back(std::move(*socket));
  }
  auto impl =
      std::make_unique<Impl>(std::move(handlers), std::move(now), max_connections, deadlines);
  const Result<void> started = impl->start(std::move(sockets), max_connections);
  if (!started) return tl::unexpected(started.error());
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

}  // namespace ua
