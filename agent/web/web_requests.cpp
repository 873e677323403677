// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <new>

#include "agent/exposition/gzip.h"
#include "agent/exposition/negotiate.h"
#include "agent/logging.h"
#include "agent/web/mhd_request.h"
#include "agent/web/web_server_impl.h"

namespace ua {
namespace {

constexpr Duration kReloadPatience = 10s;
constexpr Duration kLoginPatience = 10s;
constexpr unsigned kGoOn = 0;  // code of a parked reply: there is none yet, the request goes on

SharedPages::Made made(WebReply reply) {
  return std::make_shared<const WebReply>(std::move(reply));
}

void compress(WebReply& reply) {
  reply.body = gzip(reply.body);
  reply.headers.emplace_back("Content-Encoding", "gzip");
}

}  // namespace

void WebServer::Impl::on_completed(void* self, MHD_Connection* connection, void** state,
                                   MHD_RequestTerminationCode /*code*/) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  delete static_cast<WebRequest*>(*state);
  *state = nullptr;
  impl.connections.awaits_request(connection, impl.now());
}

void* WebServer::Impl::on_uri(void* /*self*/, const char* uri,
                              MHD_Connection* /*connection*/) noexcept {
  auto* request = new (std::nothrow) WebRequest;  // on_completed() ends it
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
  auto& request = *static_cast<WebRequest*>(*state);
  try {
    if (!impl.may_go_on(connection)) return MHD_NO;
    const Route route = find_route(method, url);
    if (request.begun) return impl.serve(connection, request, route);
    request.begun = true;
    impl.connections.owes_reply(connection, impl.now());
    return impl.begin(connection, route, request_head(connection, method, request.uri, version));
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

MHD_Result WebServer::Impl::serve(MHD_Connection* connection, WebRequest& request,
                                  const Route& route) {
  if (request.parked && request.reply.code != kGoOn) {
    return send(connection, route.handler, std::move(request.reply));
  }
  if (const auto answered = log_in(connection, request, route)) return *answered;
  if (route.refusal != 0) return send(connection, route.handler, refusal_reply(route));
  if (const auto refused = refuse_access(connection, request, route.page)) {
    return send(connection, route.handler, text_reply(403, *refused));
  }
  if (route.page == Page::reload) return begin_reload(connection, request);
  return send(connection, route.handler, page(route, connection));
}

/// Before all else that an answer could tell of.
/// @return nullopt where the request goes on
std::optional<MHD_Result> WebServer::Impl::log_in(MHD_Connection* connection, WebRequest& request,
                                                  const Route& route) {
  request.logged_in = request.parked;  // it comes back only from a login that was valid
  if (request.logged_in || !logins.needed()) return std::nullopt;
  const auto credentials = parse_basic_auth(header(connection, "Authorization"));
  if (!credentials) return send(connection, route.handler, unauthorized_reply());
  request.logged_in = logins.is_known(*credentials);
  if (request.logged_in) return std::nullopt;
  return begin_login(connection, request, *credentials);
}

MHD_Result WebServer::Impl::begin_login(MHD_Connection* connection, WebRequest& request,
                                        const BasicCredentials& credentials) {
  const auto ticket =
      parking->park(connection, request.reply, now() + kLoginPatience, busy_reply());
  if (!ticket) return MHD_NO;
  request.parked = true;
  try {
    const bool waits =
        logins.verify(credentials, Connections::peer_of(peer_address(connection)),
                      [place = parking, ticket = *ticket](bool valid) {
                        place->answer(ticket, valid ? text_reply(kGoOn, "") : unauthorized_reply());
                      });
    if (!waits) parking->answer(*ticket, busy_reply());
  } catch (const std::exception& error) {  // no memory, or no thread: a suspended one must not end
    log_error("a password could not be checked", {{"error", error.what()}});
    parking->answer(*ticket, busy_reply());
  }
  return MHD_YES;
}

std::optional<std::string> WebServer::Impl::refuse_access(MHD_Connection* connection,
                                                          const WebRequest& request, Page page) {
  if (is_public(page)) return std::nullopt;
  const TlsChannel* const channel = channel_of(connection);
  AccessRequest access = access_request(connection);
  access.tls = channel != nullptr;
  access.authenticated = request.logged_in || (channel != nullptr && channel->is_verified());
  return page == Page::reload ? refuse_action(access) : refuse_private(access);
}

SharedPages::Made WebServer::Impl::page(const Route& route, MHD_Connection* connection) {
  try {
    switch (route.page) {
      case Page::metrics:
      case Page::status:
      case Page::upstreams:
        return large_page(route, connection);
      case Page::config:
        return made(handlers.config());
      case Page::healthy:
        return made(text_reply(200, "Healthy.\n"));
      default:
        return made(handlers.ready() ? text_reply(200, "Ready.\n")
                                     : text_reply(503, "Starting.\n"));
    }
  } catch (const std::exception& error) {
    log_error("a page failed; the others go on", {{"error", error.what()}});
    return made(text_reply(500, "This page failed; the others go on. See the agent's log.\n"));
  }
}

/// In the form that the client likes best; made once for all who ask at the same moment.
SharedPages::Made WebServer::Impl::large_page(const Route& route, MHD_Connection* connection) {
  const ExpositionFormat format = route.page == Page::metrics
                                      ? negotiate_format(header(connection, "Accept"))
                                      : ExpositionFormat::text;
  const bool compressed = negotiate_gzip(header(connection, "Accept-Encoding"));
  const auto make = [&] {
    WebReply reply = route.page == Page::metrics  ? handlers.metrics(format)
                     : route.page == Page::status ? handlers.status_page()
                                                  : handlers.upstreams(route.name);
    reply.headers.emplace_back(
        "Vary", route.page == Page::metrics ? "Accept, Accept-Encoding" : "Accept-Encoding");
    if (compressed) compress(reply);
    return reply;
  };
  if (route.name) return made(make());  // there may be as many as a client likes
  const std::string which = std::string(route.handler) +
                            (format == ExpositionFormat::openmetrics ? " openmetrics" : "") +
                            (compressed ? " gzip" : "");
  return pages.get(
      which, [&] { return connections.others_wait(connection, now()); }, make);
}

MHD_Result WebServer::Impl::begin_reload(MHD_Connection* connection, WebRequest& request) {
  const auto ticket =
      parking->park(connection, request.reply, now() + kReloadPatience,
                    text_reply(503, "The agent is busy; the reload will follow.\n"));
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
                                 SharedPages::Made made) {
  const WebReply& reply = *made;
  // Handed over, not copied: a page of a million series has 90 MB. It is not written to.
  auto owner = std::make_unique<SharedPages::Made>(std::move(made));
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      reply.body.size(), const_cast<char*>(reply.body.data()),
      [](void* owned) { delete static_cast<SharedPages::Made*>(owned); }, owner.get());
  if (response == nullptr) return MHD_NO;
  [[maybe_unused]] const SharedPages::Made* now_its_own = owner.release();
  MHD_add_response_header(response, "Content-Type", reply.content_type.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Cache-Control", "no-store");
  for (const auto& [name, value] : reply.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  if (connections.sends_reply(connection, reply.body.size(), now())) {
    MHD_add_response_header(response, "Connection", "close");
  }
  const unsigned code = reply.code;
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  handlers.count(handler, code);
  return queued;
}

}  // namespace ua
