// SPDX-License-Identifier: Apache-2.0
// Who may have which page: the request line, Host and Origin, which any web page can make a browser
// send. One line each: method, path, Host, Origin, the name of another header.
#include "agent/web/access.h"

#include <algorithm>
#include <string>

#include "agent/web/router.h"
#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"

namespace ua::fuzz {
namespace {

void check_host(std::string_view host) {
  if (!is_local_name(host)) return;
  expect(needs_no_dns(host), "a local name is an address or localhost, and nothing else");
  expect(is_local_name(to_lower(host)), "a local name in lower case is one");
}

void check_route(std::string_view method, std::string_view path) {
  const Route route = find_route(method, path);
  if (route.name) {
    expect(path.starts_with(std::string(route.handler) + '/'), "a name stands below its page");
    expect(!route.name->empty() && route.name->size() < path.size(), "a name is part of the path");
  } else if (route.handler != "other") {
    expect_same(route.handler, path, "a path matches exactly");
  }
  expect((route.page == Page::none) == (route.handler == "other"), "a page has its own handler");
  if (route.refusal != 0) return;
  expect(route.page != Page::none, "what is not refused has a page");
  expect(method == "GET" || method == "HEAD" || (method == "POST" && route.page == Page::reload),
         "only POST changes something");
}

void check_request(AccessRequest request) {
  const bool reads = !refuse_private(request);
  const bool acts = !refuse_action(request);
  expect(reads || !acts, "who may act may read");
  expect(!reads || request.host.empty() || needs_no_dns(request.host), "no page by a DNS name");
  if (acts && !request.origin.empty()) {
    expect(to_lower(request.origin).ends_with("://" + to_lower(request.host)),
           "an action comes from a page of the same origin");
  }
  request.forwarded = true;
  expect(refuse_private(request).has_value(), "nothing private through a proxy");
  request.forwarded = false;
  request.from_loopback = false;
  expect(refuse_private(request).has_value(), "nothing private to another host");
  request.authenticated = true;
  expect(!refuse_private(request), "everything to who has authenticated");
  expect(acts || !request.origin.empty() || !refuse_action(request), "but for foreign pages");
  if (!refuse_action(request) && !request.origin.empty()) {
    expect(to_lower(request.origin).ends_with("://" + to_lower(request.host)),
           "an action comes from a page of the same origin, whoever asks");
  }
}

}  // namespace

void access(std::string_view bytes) {
  Input input(bytes);
  const std::string_view method = input.line();
  const std::string_view path = input.line();
  check_route(method, path);
  AccessRequest request;
  request.from_loopback = true;
  request.host = input.line();
  request.origin = input.line();
  const std::string_view header = input.line();
  request.forwarded = is_forwarding(header);
  expect(request.forwarded == is_forwarding(to_lower(header)), "case means nothing");
  check_host(request.host);
  check_request(request);
}

}  // namespace ua::fuzz
