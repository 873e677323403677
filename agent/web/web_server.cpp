// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>

#include "agent/web/access.h"
#include "agent/web/listen_socket.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr unsigned kPerAddress = 16;
constexpr std::size_t kConnectionMemory = 32 * 1024;  // request line and headers must fit
constexpr Duration kSweep = 250ms;
constexpr unsigned kIdleSeconds = 5;

struct Route {
  std::string_view path;
  std::string_view method;  // GET stands for HEAD too
  bool open;                // answers to anyone
};
constexpr std::array<Route, 5> kRoutes{{{"/metrics", "GET", true},
                                        {"/-/healthy", "GET", true},
                                        {"/-/ready", "GET", true},
                                        {"/-/reload", "POST", false},
                                        {"/", "GET", false}}};

const Route* find_route(std::string_view path) {
  for (const Route& route : kRoutes) {
    if (route.path == path) return &route;
  }
  return nullptr;
}

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 8> kMethods{"GET",    "HEAD",    "POST",  "PUT",
                                                     "DELETE", "OPTIONS", "PATCH", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool is_loopback(const sockaddr* address) {
  if (address == nullptr || address->sa_family == AF_UNIX) return true;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24U) == 127;
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

WebReply text_reply(unsigned code, std::string body) {
  WebReply reply;
  reply.code = code;
  reply.body = std::move(body);
  return reply;
}

}  // namespace

struct WebServer::Impl {
  struct Open {
    int fd;
    Time deadline;
  };

  Impl(Loop& l, WebHandlers h, WebDeadlines d) : loop(l), handlers(std::move(h)), deadlines(d) {}
  ~Impl() {
    for (MHD_Daemon* daemon : daemons) MHD_stop_daemon(daemon);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> listen(const std::string& address, unsigned max_connections);
  void sweep();
  void set_deadline(MHD_Connection* connection, Duration from_now);

  WebReply answer(MHD_Connection* connection, std::string_view method, std::string_view path);
  WebReply dispatch(const Route& route, MHD_Connection* connection);
  MHD_Result send(MHD_Connection* connection, const WebReply& reply);

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** state) noexcept;
  static void on_connection(void* self, MHD_Connection* connection, void** state,
                            MHD_ConnectionNotificationCode code) noexcept;
  static void on_completed(void* self, MHD_Connection* connection, void** state,
                           MHD_RequestTerminationCode code) noexcept;

  Loop& loop;
  WebHandlers handlers;
  WebDeadlines deadlines;
  std::vector<MHD_Daemon*> daemons;
  std::vector<std::string> addresses;
  std::mutex mutex;
  std::map<MHD_Connection*, Open> open;
  Timer sweeper;
};

Result<void> WebServer::Impl::listen(const std::string& address, unsigned max_connections) {
  Result<ListenSocketFd> socket = open_listen_socket(address);
  if (!socket) return tl::unexpected(socket.error());
  MHD_Daemon* daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &Impl::on_request, this,
      MHD_OPTION_LISTEN_SOCKET, socket->fd.get(), MHD_OPTION_CONNECTION_LIMIT, max_connections,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, kPerAddress, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory, MHD_OPTION_NOTIFY_CONNECTION,
      &Impl::on_connection, this, MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_completed, this,
      MHD_OPTION_END);
  if (daemon == nullptr) return fail("cannot serve on " + address);
  [[maybe_unused]] const int now_its_own = socket->fd.release();
  daemons.push_back(daemon);
  addresses.push_back(socket->text);
  return {};
}

void WebServer::Impl::set_deadline(MHD_Connection* connection, Duration from_now) {
  const std::lock_guard lock(mutex);
  const auto it = open.find(connection);
  if (it != open.end()) it->second.deadline = loop.now() + from_now;
}

/// The server's own time-out counts inactivity; a client that drips would stay for ever.
void WebServer::Impl::sweep() {
  {
    const std::lock_guard lock(mutex);
    const Time now = loop.now();
    for (const auto& [connection, entry] : open) {
      if (entry.deadline < now) ::shutdown(entry.fd, SHUT_RDWR);
    }
  }
  sweeper = loop.after(kSweep, [this] { sweep(); });
}

void WebServer::Impl::on_connection(void* self, MHD_Connection* connection, void** /*state*/,
                                    MHD_ConnectionNotificationCode code) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  const std::lock_guard lock(impl.mutex);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    impl.open.erase(connection);
    return;
  }
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info != nullptr) {
    impl.open[connection] = Open{info->connect_fd, impl.loop.now() + impl.deadlines.request};
  }
}

void WebServer::Impl::on_completed(void* self, MHD_Connection* connection, void** /*state*/,
                                   MHD_RequestTerminationCode /*code*/) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  impl.set_deadline(connection, impl.deadlines.request);
}

MHD_Result WebServer::Impl::on_request(void* self, MHD_Connection* connection, const char* url,
                                       const char* method, const char* /*version*/,
                                       const char* /*upload*/, std::size_t* upload_size,
                                       void** state) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  static int begun;
  if (*state == nullptr) {  // headers are complete; a body may follow
    *state = &begun;
    impl.set_deadline(connection, impl.deadlines.reply);
    return MHD_YES;
  }
  if (*upload_size > 0) {  // nothing here takes a body
    *upload_size = 0;
    return MHD_YES;
  }
  try {
    return impl.send(connection, impl.answer(connection, method, url));
  } catch (const std::exception&) {
    impl.handlers.count("other", 500);
    return MHD_NO;
  }
}

WebReply WebServer::Impl::answer(MHD_Connection* connection, std::string_view method,
                                 std::string_view path) {
  const Route* route = find_route(path);
  WebReply reply;
  if (!is_known_method(method)) {
    reply = text_reply(501, "Not implemented.\n");
  } else if (route == nullptr) {
    reply = text_reply(404,
                       "No such page. There are / (status), /metrics, /-/healthy, /-/ready, "
                       "and POST /-/reload.\n");
  } else if (method != route->method && !(route->method == "GET" && method == "HEAD")) {
    reply = text_reply(405, "Method not allowed.\n");
    reply.headers.emplace_back("Allow", route->method == "GET" ? "GET, HEAD" : "POST");
  } else {
    try {
      reply = dispatch(*route, connection);
    } catch (const std::exception&) {
      reply = text_reply(500, "This page failed; the others go on. See the agent's log.\n");
    }
  }
  handlers.count(route != nullptr ? route->path : "other", reply.code);
  return reply;
}

WebReply WebServer::Impl::dispatch(const Route& route, MHD_Connection* connection) {
  const auto header = [connection](const char* name) -> std::string_view {
    const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value != nullptr ? value : "";
  };
  if (!route.open) {
    const MHD_ConnectionInfo* peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    AccessRequest request;
    request.from_loopback = peer == nullptr || is_loopback(peer->client_addr);
    request.host = header("Host");
    request.origin = header("Origin");
    MHD_get_connection_values(
        connection, MHD_HEADER_KIND,
        [](void* found, MHD_ValueKind, const char* key, const char*) -> MHD_Result {
          const std::string lower = to_lower(key);
          if (lower == "forwarded" || lower.starts_with("x-forwarded-")) {
            *static_cast<bool*>(found) = true;
          }
          return MHD_YES;
        },
        &request.forwarded);
    const auto refused = route.method == "POST" ? refuse_action(request) : refuse_private(request);
    if (refused) return text_reply(403, *refused);
  }
  if (route.path == "/metrics")
    return handlers.metrics(header("Accept"), header("Accept-Encoding"));
  if (route.path == "/-/healthy") return text_reply(200, "Healthy.\n");
  if (route.path == "/-/ready") {
    return handlers.ready() ? text_reply(200, "Ready.\n") : text_reply(503, "Starting.\n");
  }
  if (route.path == "/-/reload") {
    const Result<void> reloaded = handlers.reload();
    if (reloaded) return text_reply(200, "Reloaded.\n");
    return text_reply(500,
                      "The configuration was not changed:\n" + reloaded.error().message + '\n');
  }
  return handlers.status_page();
}

MHD_Result WebServer::Impl::send(MHD_Connection* connection, const WebReply& reply) {
  MHD_Response* response = MHD_create_response_from_buffer(
      reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", reply.content_type.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Cache-Control", "no-store");
  for (const auto& [name, value] : reply.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const MHD_Result queued = MHD_queue_response(connection, reply.code, response);
  MHD_destroy_response(response);
  return queued;
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WebServer::~WebServer() = default;

const std::vector<std::string>& WebServer::addresses() const { return impl_->addresses; }

Result<std::unique_ptr<WebServer>> WebServer::start(Loop& loop, const WebConfig& config,
                                                    unsigned max_connections, WebHandlers handlers,
                                                    WebDeadlines deadlines) {
  auto impl = std::make_unique<Impl>(loop, std::move(handlers), deadlines);
  for (const std::string& address : config.listen_addresses) {
    const Result<void> listening = impl->listen(address, max_connections);
    if (!listening) return tl::unexpected(listening.error());
  }
  impl->sweep();
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

}  // namespace ua
