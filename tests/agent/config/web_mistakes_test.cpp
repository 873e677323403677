// SPDX-License-Identifier: Apache-2.0
// What is wrong in [web], word by word. What is wrong with certificates has real ones in tests/e2e.
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

/// One a line.
std::string mistakes(const std::vector<ConfigText>& files) {
  const auto config = read_config(files);
  if (config) return "";
  std::string result;
  for (const Diagnostic& diagnostic : config.error()) {
    result += (result.empty() ? "" : "\n") + diagnostic.text();
  }
  return result;
}

/// Of a file "a.toml" alone.
std::string mistakes(const std::string& content) {
  return mistakes(std::vector{ConfigText{"a.toml", content}});
}

constexpr const char* kHash = "$2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

std::string user(const std::string& name, const std::string& hash) {
  return "[web.basic_auth_users]\n\"" + name + "\" = \"" + hash + "\"\n";
}

TEST_CASE("users of the endpoints") {
  const auto config =
      read_config({{"a.toml", user("alice", kHash)}, {"b.toml", user("b b", kHash)}});
  REQUIRE(config);
  CHECK(config->web.users == std::vector<WebUser>{{"alice", kHash}, {"b b", kHash}});
  CHECK_FALSE(config->web.tls);
}

TEST_CASE("mistakes in users never repeat what may be a password") {
  const std::string at = "a.toml:2:11: web.basic_auth_users: ";
  const std::string hash = "needs the hash that upstream-agent hash-password prints";
  CHECK(mistakes(user("alice", "hunter2")) == at + "'alice' " + hash);
  CHECK(mistakes(user("alice", "")) == at + "'alice' " + hash);
  CHECK(mistakes(user("alice", "$2x" + std::string(kHash).substr(3))) == at + "'alice' " + hash);
  CHECK(mistakes(user("alice", "$2y$03" + std::string(kHash).substr(6))) ==
        at + "the hash of 'alice' has a cost of 3; it goes from 4 to 14");
  CHECK(mistakes(user("alice", "$2y$15" + std::string(kHash).substr(6))) ==
        at + "the hash of 'alice' has a cost of 15; it goes from 4 to 14");
  CHECK(mistakes(user("al:ce", kHash)) == at + "'al:ce': a user's name has no colon");
  CHECK(mistakes(user("", kHash)) == "a.toml:2:6: web.basic_auth_users: a user has no name");
  CHECK(mistakes(user("al\\u0007e", kHash)) ==
        "a.toml:2:15: web.basic_auth_users: the name 'al\\x07e' cannot be typed");
  CHECK(mistakes("[web]\nbasic_auth_users = { alice = 1 }\n") ==
        "a.toml:2:30: web.basic_auth_users.alice: expected a text in quotes, found an integer");
  CHECK(mistakes("[web]\nbasic_auth_users = \"alice\"\n") ==
        "a.toml:2:20: web.basic_auth_users: expected a table such as { name = \"value\" }, found a "
        "text");
  CHECK(mistakes("[web.basic_auth_users]\n") ==
        "a.toml:1:1: web.basic_auth_users: has no user; remove the table where nobody needs a "
        "password");
}

TEST_CASE("mistakes in what is said of TLS") {
  const std::string tls = "[web.tls_server_config]\n";
  const std::string at = "a.toml:2:13: web.tls_server_config.";
  CHECK(mistakes(tls) ==
        "a.toml:1:1: web.tls_server_config.cert_file: is missing\n"
        "a.toml:1:1: web.tls_server_config.key_file: is missing");
  CHECK(mistakes(tls + "cert_file = \"\"\nkey_file = \"/k\"\n") == at + "cert_file: is empty");
  CHECK(mistakes(tls + "cert_file = \"/nowhere/c.pem\"\nkey_file = \"/nowhere/k\"\n") ==
        at + "cert_file: cannot open /nowhere/c.pem: No such file or directory");
  const std::string pair = tls + "cert_file = \"/nowhere/c\"\nkey_file = \"/nowhere/k\"\n";
  CHECK(mistakes(pair + "min_version = \"TLS11\"\n") ==
        at + "cert_file: cannot open /nowhere/c: No such file or directory\n"
             "a.toml:4:15: web.tls_server_config.min_version: 'TLS11' is not one of TLS12, TLS13; "
             "did you mean 'TLS12'?");
  CHECK(mistakes(pair + "client_auth_type = \"VerifyClientCertIfGiven\"\n") ==
        "a.toml:4:20: web.tls_server_config.client_auth_type: VerifyClientCertIfGiven needs "
        "client_ca_file: whose certificates are let in");
  CHECK(mistakes(pair + "client_auth_type = \"RequireAndVerifyClientCer\"\n")
            .ends_with("'RequireAndVerifyClientCer' is not one of NoClientCert, RequestClientCert, "
                       "RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert; "
                       "did you mean 'RequireAndVerifyClientCert'?"));
  for (const std::string auth : {"", "client_auth_type = \"NoClientCert\"\n",
                                 "client_auth_type = \"RequireAnyClientCert\"\n"}) {
    CHECK(mistakes(pair + "client_ca_file = \"/ca\"\n" + auth) ==
          "a.toml:4:18: web.tls_server_config.client_ca_file: no certificate is verified by it "
          "without client_auth_type = \"RequireAndVerifyClientCert\" or "
          "\"VerifyClientCertIfGiven\"");
  }
  CHECK(mistakes("[web]\ncert_file = \"x\"\n") ==
        "a.toml:2:1: unknown key 'web.cert_file'; it belongs in [upstream.tls] or "
        "[web.tls_server_config]");
}

TEST_CASE("what is said of TLS may stand in several files") {
  const std::string tls = "[web.tls_server_config]\n";
  CHECK(mistakes({{"a.toml", tls + "cert_file = \"/nowhere/c\"\n"},
                  {"b.toml", tls + "key_file = \"/nowhere/k\"\nmin_version = \"TLS13\"\n"}}) ==
        "a.toml:2:13: web.tls_server_config.cert_file: cannot open /nowhere/c: No such file or "
        "directory");
  CHECK(mistakes({{"a.toml", tls + "min_version = \"TLS13\"\n"},
                  {"b.toml", tls + "cert_file = \"/nowhere/c\"\n"}}) ==
        "a.toml:1:1: web.tls_server_config.key_file: is missing");
  CHECK(mistakes({{"a.toml",
                   tls + "cert_file = \"/c\"\nkey_file = \"/k\"\n" + "client_ca_file = \"/ca\"\n"},
                  {"b.toml", tls + "key_file = \"/k\"\nclient_auth_type = \"NoClientCert\"\n"}}) ==
        "a.toml:4:18: web.tls_server_config.client_ca_file: no certificate is verified by it "
        "without client_auth_type = \"RequireAndVerifyClientCert\" or "
        "\"VerifyClientCertIfGiven\"\n"
        "b.toml:2:12: web.tls_server_config.key_file: is set at a.toml:3:12 already");
}

TEST_CASE("a key that others can read is refused before it is read") {
  const Directory dir;
  const std::string key = dir.write("k", "anything", 0640);
  const std::string certificate = dir.write("c", "anything");
  CHECK(mistakes("[web.tls_server_config]\ncert_file = \"" + certificate + "\"\nkey_file = \"" +
                 key + "\"\n") == "a.toml:3:12: web.tls_server_config.key_file: " + key +
                                      " can be read by others; run chmod 600 " + key);
}

}  // namespace
}  // namespace ua
