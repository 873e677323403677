// SPDX-License-Identifier: Apache-2.0
#include "agent/web/replies.h"

namespace ua {

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

WebReply unauthorized_reply() {
  WebReply reply = text_reply(401, "This agent asks for a user name and a password.\n");
  reply.headers.emplace_back("WWW-Authenticate",
                             "Basic realm=\"upstream-agent\", charset=\"UTF-8\"");
  return reply;
}

WebReply busy_reply() {
  WebReply reply = text_reply(429, "Too many passwords are being checked. Ask again.\n");
  reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

WebReply reload_reply(const Result<std::string>& reloaded) {
  if (reloaded) return text_reply(200, "Reloaded.\n" + *reloaded);
  return text_reply(500, "The configuration was not changed:\n" + reloaded.error().message + '\n');
}

}  // namespace ua
