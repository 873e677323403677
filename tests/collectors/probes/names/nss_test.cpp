// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/nss.h"

#include "tests/catch.h"

namespace ua {
namespace {

TEST_CASE("files and dns are what c-ares covers itself") {
  CHECK_FALSE(names_other_sources("hosts: files dns\n"));
  CHECK_FALSE(names_other_sources("passwd: files ldap\nhosts:\tfiles dns\nnetworks: db\n"));
  CHECK_FALSE(names_other_sources("hosts: files [NOTFOUND=return SUCCESS=continue] dns\n"));
  CHECK_FALSE(names_other_sources(""));
  CHECK_FALSE(names_other_sources("# hosts: files mdns4\n"));
}

TEST_CASE("any other source is one that the C library must be asked for") {
  CHECK(names_other_sources("hosts: files mdns4_minimal [NOTFOUND=return] dns\n"));
  CHECK(names_other_sources("hosts:          files myhostname dns"));
  CHECK(names_other_sources("hosts: mymachines resolve [!UNAVAIL=return] files dns # all\n"));
  CHECK(names_other_sources("hosts : files dns [!UNAVAIL=return]ldap\n"));
}

}  // namespace
}  // namespace ua
