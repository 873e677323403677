// SPDX-License-Identifier: Apache-2.0
// Real bcrypt at its least cost, on the thread that the class has for it.
#include "agent/web/logins.h"

#include <future>
#include <memory>

#include "agent/web/bcrypt.h"
#include "tests/catch.h"

namespace ua {
namespace {

struct Fixture {
  Fixture() { logins.set_users(users); }
  /// What verify() comes to; nullopt where too many wait.
  std::optional<bool> verify(const std::string& user, const std::string& password,
                             Connections::Peer peer = 1) {
    auto answer = std::make_shared<std::promise<bool>>();
    auto result = answer->get_future();
    if (!logins.verify({user, password}, peer,
                       [answer](bool valid) { answer->set_value(valid); })) {
      return std::nullopt;
    }
    return result.get();
  }

  std::string alice = *bcrypt_hash("secret", 4);
  std::string bob = *bcrypt_hash("secret", 5);
  std::vector<WebUser> users{{"alice", alice}, {"bob", bob}};
  Logins logins{64};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a valid login is known from then on, and no other", "[web]") {
  CHECK(logins.needed());
  CHECK_FALSE(logins.is_known({"alice", "secret"}));
  CHECK(verify("alice", "secret") == true);
  CHECK(logins.is_known({"alice", "secret"}));
  CHECK_FALSE(logins.is_known({"bob", "secret"}));
  CHECK(verify("bob", "secret") == true);
  CHECK(logins.is_known({"bob", "secret"}));
  for (const auto& [user, password] :
       std::vector<std::pair<std::string, std::string>>{{"alice", ""},
                                                        {"alice", "Secret"},
                                                        {"", ""},
                                                        {"", "secret"},
                                                        {"carol", "secret"},
                                                        {"alicesecret", ""},
                                                        {"alices", "ecret"},
                                                        {"alice", alice},
                                                        {"alice", "fakepassword"},
                                                        {"alice", std::string("secret\0x", 8)},
                                                        {"Alice", "secret"}}) {
    CAPTURE(user, password);
    CHECK(verify(user, password) == false);
    CHECK_FALSE(logins.is_known({user, password}));
  }
}

TEST_CASE_METHOD(Fixture, "a cache cannot be poisoned by moving the border between texts",
                 "[web]") {
  // CVE-2022-46146: user, hash and password were joined, so that one login stood for another.
  const std::string fake = *bcrypt_hash("fakepassword", 4);
  CHECK(verify("alice" + alice, "fakepassword") == false);
  CHECK(verify("alice", fake + "fakepassword") == false);
  CHECK(verify("alice", "secret") == true);
  for (const std::string& user :
       std::vector<std::string>{"alice" + alice + "secret", "6:alice", "5:alic", "a"}) {
    CHECK_FALSE(logins.is_known({user, "secret"}));
    CHECK_FALSE(logins.is_known({user, ""}));
  }
  CHECK_FALSE(logins.is_known({"alice", alice + "secret"}));
}

TEST_CASE_METHOD(Fixture, "failures push no valid login out", "[web]") {
  CHECK(verify("alice", "secret") == true);
  for (int i = 0; i < 300; ++i) {
    CHECK(verify(i % 2 == 0 ? "alice" : "user" + std::to_string(i), std::to_string(i)) == false);
  }
  CHECK(logins.is_known({"alice", "secret"}));
}

TEST_CASE_METHOD(Fixture, "another password ends what was valid, for that user alone", "[web]") {
  CHECK(verify("alice", "secret") == true);
  CHECK(verify("bob", "secret") == true);
  users[0].hash = *bcrypt_hash("other", 4);
  logins.set_users(users);
  CHECK_FALSE(logins.is_known({"alice", "secret"}));
  CHECK(verify("alice", "secret") == false);
  CHECK(verify("alice", "other") == true);
  CHECK(logins.is_known({"bob", "secret"}));
  users.pop_back();
  logins.set_users(users);
  CHECK_FALSE(logins.is_known({"bob", "secret"}));
  logins.set_users({});
  CHECK_FALSE(logins.needed());
}

TEST_CASE_METHOD(Fixture, "a line of seventeen, four of one client, and one place for the same",
                 "[web]") {
  // The first holds the thread until it is told to go on.
  std::promise<void> begun;
  std::promise<void> go_on;
  CHECK(logins.verify({"alice", "first"}, 100, [&](bool) {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  std::atomic<int> answers{0};
  const auto count = [&](bool) { ++answers; };
  int taken = 0;
  for (Connections::Peer peer = 1; peer <= 10; ++peer) {
    for (int i = 0; i < 6; ++i) {
      const bool waits =
          logins.verify({"u", std::to_string(peer * 10) + std::to_string(i)}, peer, count);
      CHECK(waits == (i < 4 && taken < 17));
      if (waits) ++taken;
    }
  }
  CHECK(taken == 17);
  CHECK(logins.verify({"u", "100"}, 55, count));  // asked by the first client already
  CHECK_FALSE(logins.verify({"u", "new"}, 55, count));
  go_on.set_value();
  while (answers != 18) std::this_thread::yield();
  CHECK(verify("alice", "secret", 55) == true);
}

TEST_CASE_METHOD(Fixture, "the same password from many leaves half of the places to others",
                 "[web]") {
  std::promise<void> begun;
  std::promise<void> go_on;
  CHECK(logins.verify({"alice", "first"}, 100, [&](bool) {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  std::atomic<int> answers{0};
  int taken = 0;
  for (Connections::Peer peer = 1; peer <= 10; ++peer) {
    for (int i = 0; i < 10; ++i) {
      const bool waits = logins.verify({"alice", "wrong"}, peer, [&](bool) { ++answers; });
      CHECK(waits == (i < 8 && taken < 32));
      if (waits) ++taken;
    }
  }
  CHECK(taken == 32);
  go_on.set_value();
  while (answers != 32) std::this_thread::yield();
  CHECK(verify("alice", "secret") == true);
}

TEST_CASE("one place is enough for a login", "[web]") {
  Logins logins(1);
  logins.set_users({{"alice", *bcrypt_hash("secret", 4)}});
  std::promise<bool> valid;
  CHECK(logins.verify({"alice", "secret"}, 1, [&](bool is) { valid.set_value(is); }));
  CHECK(valid.get_future().get());
}

TEST_CASE("the end waits for nobody", "[web]") {
  auto logins = std::make_unique<Logins>(64);
  logins->set_users({{"alice", *bcrypt_hash("secret", 4)}});
  for (int i = 0; i < 4; ++i) {
    CHECK(logins->verify({"alice", std::to_string(i)}, 1, [](bool) {}));
  }
  logins.reset();
}

}  // namespace ua
