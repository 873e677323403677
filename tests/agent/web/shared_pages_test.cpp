// SPDX-License-Identifier: Apache-2.0
#include "agent/web/shared_pages.h"

#include <stdexcept>

#include "tests/catch.h"

namespace ua {
namespace {

struct Fixture {
  /// The number of the page that one gets.
  std::string get(const std::string& which, bool crowded, Duration takes = 0ms,
                  std::size_t size = 1) {
    const auto page = pages.get(
        which, [crowded] { return crowded; },
        [&] {
          now += takes;
          WebReply reply;
          reply.body = std::string(size, 'x');
          reply.content_type = std::to_string(++made);
          return reply;
        });
    return page->content_type;
  }

  Time now{1h};
  int made = 0;
  SharedPages pages{[this] { return now; }};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a page is made once for all who wait", "[web]") {
  CHECK(get("a", true) == "1");
  CHECK(get("a", true) == "1");
  CHECK(get("b", true) == "2");
  CHECK(get("a", false) == "3");  // who is alone gets a page of its own
  now += 100ms - 1ns;
  CHECK(get("a", true) == "3");
  now += 1ns;
  CHECK(get("a", true) == "4");
}

TEST_CASE_METHOD(Fixture, "a page that took long is handed out for as long", "[web]") {
  CHECK(get("a", true, 2s) == "1");
  now += 2s - 1ns;
  CHECK(get("a", true) == "1");
  now += 1ns;
  CHECK(get("a", true) == "2");
}

TEST_CASE_METHOD(Fixture, "a page that fails is nobody's", "[web]") {
  const auto fails = [&] {
    pages.get(
        "a", [] { return true; }, []() -> WebReply { throw std::runtime_error("no"); });
  };
  CHECK_THROWS_AS(fails(), std::runtime_error);
  CHECK(pages.empty());
  CHECK(get("a", true) == "1");
}

TEST_CASE_METHOD(Fixture, "what is too old is forgotten", "[web]") {
  get("a", true);
  now += 50ms;
  get("b", true);
  now += 50ms;
  pages.expire();
  CHECK_FALSE(pages.empty());
  CHECK(get("b", true) == "2");
  now += 50ms;
  pages.expire();
  CHECK(pages.empty());
}

TEST_CASE_METHOD(Fixture, "what is kept is no more than 16 MiB, or one page", "[web]") {
  constexpr std::size_t kMiB = std::size_t{1} << 20U;
  get("a", true, 0ms, 8 * kMiB);
  now += 1ms;
  get("b", true, 0ms, 8 * kMiB);
  CHECK(get("a", true) == "1");
  now += 1ms;
  get("c", true, 0ms, 1);
  CHECK(get("b", true) == "2");
  now += 1ms;
  CHECK(get("a", false, 0ms, 20 * kMiB) == "4");
  CHECK(get("a", true) == "4");
  CHECK(get("b", true) == "5");
}

}  // namespace ua
