// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/names/dns_classify.h"

#include <ares.h>

#include <cerrno>

#include "tests/catch.h"

namespace ua {
namespace {

using enum ErrorClass;
using Names = std::vector<std::string>;

TEST_CASE("what a name server says leads to one class") {
  CHECK(classify_dns(ARES_ENOTFOUND, 0) == std::pair{dns_not_found, std::string("rcode_3")});
  CHECK(classify_dns(ARES_ENODATA, 0) == std::pair{dns_not_found, std::string("nodata")});
  CHECK(classify_dns(ARES_ETIMEOUT, 0).first == dns_timeout);
  CHECK(classify_dns(ARES_ESERVFAIL, 0) == std::pair{dns_failed, std::string("rcode_2")});
  CHECK(classify_dns(ARES_EREFUSED, 0) == std::pair{dns_failed, std::string("rcode_5")});
  CHECK(classify_dns(ARES_EBADRESP, 0) == std::pair{dns_failed, std::string("bad_reply")});
  CHECK(classify_dns(ARES_EBADNAME, 0).first == config_invalid);
}

TEST_CASE("no RCODE but 3 says that there is no such name") {
  for (unsigned rcode = 1; rcode < 16; ++rcode) {
    const int status = status_of_rcode(rcode);
    CHECK(classify_dns(status, 0) ==
          std::pair{rcode == 3 ? dns_not_found : dns_failed, "rcode_" + std::to_string(rcode)});
    CHECK(is_answer(status));
  }
  CHECK(status_of_rcode(0) == ARES_SUCCESS);
}

TEST_CASE("a reply says that it is one and repeats the question") {
  using Bytes = std::vector<std::uint8_t>;
  const Bytes asked{7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};
  CHECK_FALSE(is_reply_to(asked, asked));
  Bytes reply = asked;
  reply[2] = 0x81;
  CHECK(is_reply_to(asked, reply));
  reply[13] = 'A';
  CHECK(is_reply_to(asked, reply));
  reply.push_back(0);
  CHECK(is_reply_to(asked, reply));
  reply[13] = 'b';
  CHECK_FALSE(is_reply_to(asked, reply));
  reply[13] = 'a';
  reply[5] = 0;
  CHECK_FALSE(is_reply_to(asked, reply));
  CHECK_FALSE(is_reply_to(asked, Bytes(64, 0xff)));
  CHECK_FALSE(is_reply_to(asked, Bytes{7, 7}));
}

TEST_CASE("no descriptor for the question is this host's trouble, an answer is not") {
  CHECK(classify_dns(ARES_ECONNREFUSED, EMFILE) ==
        std::pair{local_resources_exhausted, std::string("errno_24")});
  CHECK(classify_dns(ARES_ECONNREFUSED, EPERM).first == permission_denied);
  CHECK(classify_dns(ARES_ECONNREFUSED, 0).first == dns_failed);
  CHECK(classify_dns(ARES_ENOTFOUND, EMFILE).first == dns_not_found);
}

TEST_CASE("a failure of one family does not hide behind the other's lack of a record") {
  CHECK(is_worse(ARES_ESERVFAIL, ARES_ENODATA));
  CHECK(is_worse(ARES_ETIMEOUT, ARES_ENOTFOUND));
  CHECK(is_worse(ARES_ESERVFAIL, ARES_ETIMEOUT));
  CHECK_FALSE(is_worse(ARES_ENODATA, ARES_ENOTFOUND));
}

TEST_CASE("the search list as resolv.conf(5) has it") {
  const Names domains{"a.test", "b.test"};
  CHECK(search_candidates("db", domains, 1) == Names{"db.a.test", "db.b.test", "db"});
  CHECK(search_candidates("db.c", domains, 1) == Names{"db.c", "db.c.a.test", "db.c.b.test"});
  CHECK(search_candidates("db.c", domains, 2) == Names{"db.c.a.test", "db.c.b.test", "db.c"});
  CHECK(search_candidates("db.", domains, 1) == Names{"db."});
  CHECK(search_candidates("db", {}, 1) == Names{"db"});
  CHECK(search_candidates("db", {"."}, 1) == Names{"db"});
}

TEST_CASE("how long to wait and how often to ask as resolv.conf(5) has it") {
  CHECK(query_timing("") == QueryTiming{1s, 3});
  CHECK(query_timing("nameserver 127.0.0.1\noptions\ttimeout:2 edns0 attempts:1\n") ==
        QueryTiming{2s, 1});
  CHECK(query_timing("options timeout:2\noptions attempts:4 timeout:3") == QueryTiming{3s, 4});
  CHECK(query_timing("options timeout:0 attempts:0") == QueryTiming{1s, 1});
  CHECK(query_timing("options timeout:30 attempts:99999999999") == QueryTiming{5s, 5});
  CHECK(query_timing("options timeout:2x attempts: attempts:-9 retry:2") == QueryTiming{1s, 1});
  CHECK(query_timing("#options timeout:2\nsearch options timeout:2\n") == QueryTiming{1s, 3});
}

}  // namespace
}  // namespace ua
