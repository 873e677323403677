// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/filesystems.h"

#include <sys/statvfs.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <future>
#include <map>

#include "tests/collectors/host/proc_shapes.h"

using namespace ua;
using test::shape;

namespace {

std::vector<std::string> points(const Mounts& mounts) {
  std::vector<std::string> result;
  for (const Mount& mount : mounts.shown) result.push_back(mount.point);
  return result;
}

Mounts mounts_of(const char* name) {
  return parse_mounts(read_proc_file(shape(name) / "self/mountinfo").value(), {}).value();
}

std::string line(const std::string& number, const std::string& point, const char* type = "ext4") {
  return "1 1 " + number + " / " + point + " rw - " + type + " /dev/x rw\n";
}

/// A tree with disks at these places, and filesystems that answer as the test wants.
class Disks {
 public:
  using Answer = std::function<Result<FilesystemUsage>()>;
  explicit Disks(const std::vector<std::string>& where) {
    std::filesystem::create_directories(proc_ / "self");
    std::ofstream file(proc_ / "self/mountinfo");
    int number = 0;
    for (const std::string& point : where) file << line("8:" + std::to_string(++number), point);
  }
  ~Disks() { std::filesystem::remove_all(proc_); }
  void at(const std::string& point, Answer answer) { answers_[point] = std::move(answer); }
  FilesystemSampler sampler(Duration patience) {
    return FilesystemSampler(
        proc_,
        [answers = answers_](const Mount& mount) {
          const auto answer = answers.find(mount.point);
          return answer == answers.end() ? FilesystemUsage{"/dev/x", "ext4", 1, 1, 1, 1, false}
                                         : answer->second();
        },
        patience);
  }

 private:
  std::filesystem::path proc_ = std::filesystem::path(UA_BINARY_DIR) / "filesystems_test";
  std::map<std::string, Answer> answers_;
};

struct Sampled {
  std::vector<std::string> mounts;
  std::string error;
};

Sampled sample(FilesystemSampler& sampler) {
  HostSnapshot snapshot;
  Sampled result;
  const auto sampled = sampler.sample(snapshot);
  if (!sampled) result.error = sampled.error().message;
  if (!snapshot.filesystems) return result;
  for (const auto& [point, usage] : snapshot.filesystems->mounts) result.mounts.push_back(point);
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the disks of a host, each once, and nothing that a server answers for") {
  const Mounts mounts = mounts_of("linux-6.1");
  CHECK(points(mounts) == Names{"/", "/boot/efi", "/mnt/old disk"});
  CHECK(mounts.left_out == 0);
  CHECK(mounts.shown[2].device == "/dev/sdb");
  CHECK(mounts.shown[2].type == "xfs");
}

TEST_CASE("what a server or a process answers for is never asked, nor what lives in memory") {
  for (const char* type :
       {"fuse",    "fuseblk", "fuse.sshfs", "fuse.glusterfs", "nfs",     "nfs4",
        "cifs",    "smb3",    "9p",         "ceph",           "afs",     "autofs",
        "tmpfs",   "proc",    "sysfs",      "devtmpfs",       "cgroup2", "squashfs",
        "iso9660", "ramfs",   "virtiofs"}) {
    CAPTURE(type);
    const auto mounts = parse_mounts(line("8:1", "/") + line("0:9", "/data", type), {});
    REQUIRE(mounts);
    CHECK(points(*mounts) == Names{"/"});
    CHECK(mounts->left_out == 0);
  }
}

TEST_CASE("a disk is read-only where it takes no writes, not where this view of it does") {
  const auto read_only = [](const std::string& view, const std::string& disk) {
    const std::string text = "1 1 8:1 / / " + view + " - ext4 /dev/x " + disk + "\n";
    return parse_mounts(text, {}).value().shown.at(0).read_only;
  };
  CHECK_FALSE(read_only("rw,relatime", "rw"));
  CHECK_FALSE(read_only("ro,relatime", "rw,errors=remount-ro"));
  CHECK(read_only("ro,relatime", "ro,errors=remount-ro"));
  CHECK(read_only("rw", "errors=continue,ro"));
}

TEST_CASE("a container's root, and a volume by its shortest place") {
  CHECK(points(mounts_of("linux-3.2")) == Names{"/", "/data"});
}

TEST_CASE("mounts that cannot be read") {
  for (const char* bad : {"", "27 1 8:1 / / rw,relatime shared:1 - ext4", "1 2 3", "\n\n"}) {
    CHECK(parse_mounts(bad, {}).error().message == "/proc/self/mountinfo: no mount");
  }
  CHECK(points(*parse_mounts(line("8:1", "/a\\011b\\134\\400\\04"), {})) ==
        Names{"/a\tb\\\\400\\04"});
}

TEST_CASE("at most 64 filesystems, and those once shown stay") {
  std::string many;
  std::set<std::string> shown;
  for (int i = 100; i < 200; ++i) many += line("8:" + std::to_string(i), "/m" + std::to_string(i));
  const Mounts first = parse_mounts(many, {}).value();
  CHECK(first.shown.size() == 64);
  CHECK(first.left_out == 36);
  for (const Mount& mount : first.shown) shown.insert(mount.point);
  CHECK(shown.contains("/m163"));
  const Mounts later = parse_mounts(line("9:1", "/a") + many, shown).value();
  CHECK(points(later)[63] == "/m163");
  CHECK(later.left_out == 37);
}

TEST_CASE("what statvfs says") {
  struct statvfs found {};
  REQUIRE(statvfs("/", &found) == 0);
  const auto usage = ask_filesystem({"/", "/dev/x\x01", "ext4"});
  REQUIRE(usage);
  CHECK(usage->device == "/dev/x\\x01");
  CHECK(usage->type == "ext4");
  CHECK(usage->size == found.f_frsize * found.f_blocks);
  CHECK(usage->inodes == found.f_files);
  CHECK_FALSE(usage->read_only);
  CHECK(ask_filesystem({"/", "/dev/x", "ext4", true})->read_only);
  CHECK(usage->available <= usage->size);
  const auto none = ask_filesystem({"/nowhere", "", ""});
  CHECK(none.error().message == "statvfs of /nowhere: No such file or directory");
}

TEST_CASE("a filesystem that fails leaves the others; one out of reach is no failure") {
  Disks disks({"/a", "/b", "/c"});
  disks.at("/a", [] { return fail("statvfs of /a: Input/output error", EIO); });
  disks.at("/b", [] { return fail("no rights", EACCES); });
  auto sampler = disks.sampler(20s);
  const Sampled sampled = sample(sampler);
  CHECK(sampled.mounts == Names{"/c"});
  CHECK(sampled.error == "statvfs of /a: Input/output error");
}

TEST_CASE("a filesystem that never answers is passed over until it does") {
  std::promise<void> release;
  std::atomic<int> asked{0};
  Disks disks({"/a", "/b", "/c"});
  disks.at("/b", [&, released = release.get_future().share()] {
    ++asked;
    released.wait();
    return FilesystemUsage{};
  });
  auto sampler = disks.sampler(200ms);
  const Sampled first = sample(sampler);
  CHECK(first.mounts == Names{"/a"});  // in the order of their names
  CHECK(first.error == "statvfs does not return: /b");
  for (int i = 0; i < 3; ++i) {
    const Sampled next = sample(sampler);
    CHECK(next.mounts == Names{"/a", "/c"});
    CHECK(next.error == "statvfs does not return: /b");
  }
  CHECK(asked == 1);
  release.set_value();
  Sampled well;
  for (int i = 0; i < 1000 && well.mounts.size() != 3; ++i) well = sample(sampler);
  CHECK(well.mounts == Names{"/a", "/b", "/c"});
  CHECK(well.error.empty());
}

TEST_CASE("four that never answer end the asking; the threads left behind do no harm") {
  std::promise<void> release;
  std::promise<void> gone;
  std::atomic<int> answered{0};
  {
    Disks disks({"/a", "/b", "/c", "/d", "/e"});
    const auto released = release.get_future().share();
    for (const char* point : {"/a", "/b", "/c", "/d", "/e"}) {
      disks.at(point, [&answered, &gone, released] {
        released.wait();
        if (++answered == 14) gone.set_value();
        return FilesystemUsage{};
      });
    }
    auto sampler = disks.sampler(50ms);
    for (int i = 0; i < 4; ++i) CHECK(sample(sampler).mounts.empty());
    for (int i = 0; i < 2; ++i) {
      CHECK(sample(sampler).error == "statvfs does not return: /a, /b, /c, /d");
    }
  }
  release.set_value();
  gone.get_future().wait();  // each thread goes through its list: 5 + 4 + 3 + 2
}
