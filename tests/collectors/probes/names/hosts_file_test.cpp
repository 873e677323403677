// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/hosts_file.h"

#include "tests/catch.h"

namespace ua {
namespace {

std::vector<std::string> texts(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> result;
  for (const Endpoint& endpoint : endpoints) result.push_back(endpoint.text());
  return result;
}

using Texts = std::vector<std::string>;

TEST_CASE("names, aliases, families, comments and case") {
  const HostsFile hosts(
      "127.0.0.1\tlocalhost\n"
      "192.0.2.7  db.example db  # the database\n"
      "2001:db8::7 DB.example\n"
      "#192.0.2.8 db\n"
      "not-an-address db\n"
      "192.0.2.9\n");
  CHECK(texts(hosts.find("db.EXAMPLE", IpProtocol::any)) ==
        Texts{"192.0.2.7:0", "[2001:db8::7]:0"});
  CHECK(texts(hosts.find("db.example.", IpProtocol::v6)) == Texts{"[2001:db8::7]:0"});
  CHECK(texts(hosts.find("db", IpProtocol::any)) == Texts{"192.0.2.7:0"});
  CHECK(hosts.find("db", IpProtocol::v6).empty());
  CHECK(hosts.find("the", IpProtocol::any).empty());
  CHECK(hosts.find("", IpProtocol::any).empty());
}

TEST_CASE("a name on thousands of lines does not grow without end") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "192.0.2.1 many\n";
  CHECK(HostsFile(text).find("many", IpProtocol::any).size() == 64);
}

}  // namespace
}  // namespace ua
