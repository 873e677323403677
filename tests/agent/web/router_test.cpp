// SPDX-License-Identifier: Apache-2.0
#include "agent/web/router.h"

#include "tests/catch.h"

using ua::find_route;
using ua::Page;

TEST_CASE("every page answers to its own methods alone", "[web]") {
  struct Case {
    std::string_view method, path, handler;
    Page page;
    unsigned refusal;
    std::string_view allow;
  };
  const auto row = GENERATE(
      Case{"GET", "/metrics", "/metrics", Page::metrics, 0, ""},
      Case{"HEAD", "/metrics", "/metrics", Page::metrics, 0, ""},
      Case{"POST", "/metrics", "/metrics", Page::metrics, 405, "GET, HEAD"},
      Case{"GET", "/-/healthy", "/-/healthy", Page::healthy, 0, ""},
      Case{"GET", "/-/ready", "/-/ready", Page::ready, 0, ""},
      Case{"OPTIONS", "/-/ready", "/-/ready", Page::ready, 405, "GET, HEAD"},
      Case{"GET", "/", "/", Page::status, 0, ""}, Case{"HEAD", "/", "/", Page::status, 0, ""},
      Case{"CONNECT", "/", "/", Page::status, 405, "GET, HEAD"},
      Case{"POST", "/-/reload", "/-/reload", Page::reload, 0, ""},
      Case{"GET", "/config", "/config", Page::config, 0, ""},
      Case{"POST", "/config", "/config", Page::config, 405, "GET, HEAD"},
      Case{"GET", "/api/v1/upstreams", "/api/v1/upstreams", Page::upstreams, 0, ""},
      Case{"HEAD", "/api/v1/upstreams/a", "/api/v1/upstreams", Page::upstreams, 0, ""},
      Case{"PUT", "/api/v1/upstreams/a", "/api/v1/upstreams", Page::upstreams, 405, "GET, HEAD"},
      Case{"GET", "/-/reload", "/-/reload", Page::reload, 405, "POST"},
      Case{"HEAD", "/-/reload", "/-/reload", Page::reload, 405, "POST"},
      Case{"get", "/metrics", "/metrics", Page::metrics, 501, ""},
      Case{"BREW", "/nowhere", "other", Page::none, 501, ""});
  CAPTURE(row.method, row.path);
  const ua::Route route = find_route(row.method, row.path);
  CHECK(route.page == row.page);
  CHECK(route.handler == row.handler);
  CHECK(route.refusal == row.refusal);
  CHECK(route.allow == row.allow);
}

TEST_CASE("a path that is not exactly a page's is no page", "[web]") {
  const std::string_view path =
      GENERATE(as<std::string_view>{}, "", "/metricsX", "/metrics/", "//metrics", "/./metrics",
               "/%6detrics", "/metrics%00", "/METRICS", "/-/", "/-/healthy/", "/../metrics",
               "/config/", "/config/x", "/api/v1/upstreams/", "/api/v1/upstreamsX", "/api/v1",
               "/api/v1/upstreams/%", "/api/v1/upstreams/%4", "/api/v1/upstreams/%4x",
               "/api/v1/upstreams/a%", "//api/v1/upstreams", "http://localhost/metrics", "*");
  CAPTURE(path);
  CHECK(find_route("GET", path).refusal == 404);
  CHECK(find_route("GET", path).handler == "other");
}

TEST_CASE("a name follows the path, its escapes resolved once", "[web]") {
  const auto name = [](const std::string& path) { return find_route("GET", path).name; };
  CHECK_FALSE(name("/api/v1/upstreams"));
  CHECK_FALSE(name("/metrics"));
  CHECK(name("/api/v1/upstreams/checkout") == "checkout");
  CHECK(name("/api/v1/upstreams/a%20b%2Fc") == "a b/c");
  CHECK(name("/api/v1/upstreams/a/b") == "a/b");
  CHECK(name("/api/v1/upstreams/..%2e") == "...");
  CHECK(name("/api/v1/upstreams/%2541") == "%41");
  CHECK(name("/api/v1/upstreams/%00") == std::string(1, '\0'));
  CHECK(name("/api/v1/upstreams/%e2%9C%93+") == "\xe2\x9c\x93+");
}

TEST_CASE("only the metrics and the health checks are for everyone", "[web]") {
  CHECK(ua::is_public(Page::metrics));
  CHECK(ua::is_public(Page::healthy));
  CHECK(ua::is_public(Page::ready));
  CHECK_FALSE(ua::is_public(Page::status));
  CHECK_FALSE(ua::is_public(Page::reload));
  CHECK_FALSE(ua::is_public(Page::config));
  CHECK_FALSE(ua::is_public(Page::upstreams));
  CHECK_FALSE(ua::is_public(Page::none));
}
