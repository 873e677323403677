// SPDX-License-Identifier: Apache-2.0
#include "agent/web/listen_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "collectors/probes/net/endpoint.h"
#include "tests/catch.h"

namespace {

struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "ua-listen-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

bool connects(const ua::Endpoint& endpoint) {
  const ua::UniqueFd fd(socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.get(), endpoint.address(), endpoint.size) == 0;
}

std::uint16_t port_of(const std::string& text) {
  return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

bool has_ipv6() {
  const ua::UniqueFd fd(socket(AF_INET6, SOCK_STREAM, 0));
  const auto any = *ua::ip_endpoint("::1", 0);
  return fd && bind(fd.get(), any.address(), any.size) == 0;
}

ua::Result<ua::ListenSocket> listen_on(const std::string& text) {
  return ua::open_listen_socket(*ua::parse_listen_address(text));
}

}  // namespace

TEST_CASE("a port alone takes both families on one socket", "[web]") {
  const auto socket = listen_on(":0");
  REQUIRE(socket);
  const std::uint16_t port = port_of(socket->text);
  CHECK(connects(*ua::ip_endpoint("127.0.0.1", port)));
  if (!has_ipv6()) {
    WARN("skipped in part: this host has no IPv6");
    return;
  }
  CHECK(socket->text == "[::]:" + std::to_string(port));
  CHECK(connects(*ua::ip_endpoint("::1", port)));
}

TEST_CASE("addresses are taken as people write them", "[web]") {
  CHECK(listen_on("127.0.0.1:0")->text.starts_with("127.0.0.1:"));
  CHECK(listen_on("localhost:0")->text.starts_with("127.0.0.1:"));
  if (has_ipv6()) {
    const auto socket = listen_on("[::1]:0");
    CHECK(socket->text.starts_with("[::1]:"));
    CHECK_FALSE(connects(*ua::ip_endpoint("127.0.0.1", port_of(socket->text))));
  }
}

TEST_CASE("an address in use is named, with what to do", "[web]") {
  const auto first = listen_on("127.0.0.1:0");
  REQUIRE(first);
  const auto second = listen_on(first->text);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == EADDRINUSE);
  CHECK_THAT(second.error().message,
             Catch::Contains(first->text) && Catch::Contains("--web.listen-address"));
}

TEST_CASE("a Unix socket that is served is not taken away", "[web]") {
  const Folder folder;
  const std::string path = folder.path / "agent.sock";
  {
    const auto first = listen_on("unix:" + path);
    REQUIRE(first);
    CHECK(first->text == "unix:" + path);
    const auto second = listen_on("unix:" + path);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == EADDRINUSE);
    CHECK(connects(*ua::unix_endpoint(path)));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a Unix socket that a run before left behind is replaced", "[web]") {
  const Folder folder;
  const std::string path = folder.path / "agent.sock";
  {
    const auto endpoint = *ua::unix_endpoint(path);
    const ua::UniqueFd crashed(socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(bind(crashed.get(), endpoint.address(), endpoint.size) == 0);
  }
  REQUIRE(std::filesystem::exists(path));
  const auto socket = listen_on("unix:" + path);
  REQUIRE(socket);
  CHECK(connects(*ua::unix_endpoint(path)));
}

TEST_CASE("a file that is no socket stays", "[web]") {
  const Folder folder;
  const std::string path = folder.path / "notes";
  std::ofstream(path) << "precious";
  CHECK_FALSE(listen_on("unix:" + path));
  CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("another's socket at the same path outlives us", "[web]") {
  const Folder folder;
  const std::string path = folder.path / "agent.sock";
  auto first = listen_on("unix:" + path);
  REQUIRE(first);
  std::filesystem::remove(path);
  const auto second = listen_on("unix:" + path);
  REQUIRE(second);
  first = ua::fail("gone");
  CHECK(connects(*ua::unix_endpoint(path)));
}
