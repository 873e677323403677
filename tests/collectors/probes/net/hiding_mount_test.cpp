// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/hiding_mount.h"

#include "tests/catch.h"

namespace ua {
namespace {

constexpr std::string_view kPlain =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "25 22 0:22 / /run rw,nosuid shared:5 - tmpfs tmpfs rw\n"
    "26 22 0:23 / /tmp rw,nosuid shared:6 - tmpfs tmpfs rw\n"
    "27 22 254:1 / /home rw shared:7 - ext4 /dev/vdb1 rw\n";

std::string with(std::string_view line) { return std::string(kPlain) + std::string(line) + '\n'; }

TEST_CASE("ordinary mounts hide nothing") {
  CHECK_FALSE(hiding_mount(kPlain, "/tmp/app.sock"));
  CHECK_FALSE(hiding_mount(kPlain, "/home/a/app.sock"));
  CHECK_FALSE(hiding_mount(kPlain, "/run/app.sock"));
  CHECK_FALSE(hiding_mount("", "/run/app.sock"));
  CHECK_FALSE(hiding_mount("garbage\n1 2 3\n", "/run/app.sock"));
}

TEST_CASE("a private /tmp hides what lies in /tmp, not beside it") {
  const std::string info =
      with("40 22 254:0 /tmp/systemd-private-0f-agent.service-x/tmp /tmp rw - ext4 /dev/vda1 rw");
  const auto hidden = hiding_mount(info, "/tmp/app.sock");
  REQUIRE(hidden);
  CHECK(hidden->setting == "PrivateTmp");
  CHECK(hidden->mount_point == "/tmp");
  CHECK_FALSE(hiding_mount(info, "/tmpfoo/app.sock"));
  CHECK_FALSE(hiding_mount(info, "/var/tmp/app.sock"));
}

TEST_CASE("protected homes: inaccessible or an empty tmpfs") {
  const std::string inaccessible =
      with("41 22 0:22 /systemd/inaccessible/dir /root ro,nosuid shared:9 - tmpfs tmpfs rw");
  REQUIRE(hiding_mount(inaccessible, "/root/app.sock"));
  CHECK(hiding_mount(inaccessible, "/root/app.sock")->setting == "ProtectHome");
  const std::string empty = with("42 22 0:50 / /run/user ro - tmpfs tmpfs ro");
  REQUIRE(hiding_mount(empty, "/run/user/1000/app.sock"));
  CHECK(hiding_mount(empty, "/run/user/1000/app.sock")->setting == "ProtectHome");
  // A session's own directory lies deeper and is an ordinary tmpfs.
  CHECK_FALSE(hiding_mount(with("43 22 0:51 / /run/user/1000 rw - tmpfs tmpfs rw"),
                           "/run/user/1000/app.sock"));
}

TEST_CASE("of two mounts at one place the later counts, and blanks are escaped") {
  const std::string info = with(
      "44 22 0:22 /systemd/inaccessible/dir /srv/my\\040app ro - tmpfs tmpfs rw\n"
      "45 22 254:0 /tmp/systemd-private-1/tmp /tmp rw - ext4 /dev/vda1 rw\n"
      "46 22 254:0 / /tmp rw - ext4 /dev/vda1 rw");
  CHECK_FALSE(hiding_mount(info, "/tmp/app.sock"));
  const auto hidden = hiding_mount(info, "/srv/my app/app.sock");
  REQUIRE(hidden);
  CHECK(hidden->setting == "InaccessiblePaths");
  CHECK(hidden->mount_point == "/srv/my app");
}

}  // namespace
}  // namespace ua
