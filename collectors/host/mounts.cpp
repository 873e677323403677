// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/mounts.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "collectors/core/text.h"
#include "collectors/host/proc_file.h"

namespace ua {
namespace {

constexpr std::size_t kMaxMounts = 64;
constexpr std::size_t kOptionalFields = 6;  // the first of them

constexpr std::array<std::string_view, 16> kDiskTypes{
    "ext2", "ext3",  "ext4",     "xfs",   "btrfs", "zfs",    "f2fs",     "jfs",
    "vfat", "exfat", "reiserfs", "ntfs3", "ntfs",  "nilfs2", "bcachefs", "hfsplus"};

/// Where container engines mount what they keep, one for each container.
constexpr std::array<std::string_view, 2> kEngines{"/var/lib/docker/",
                                                   "/var/lib/containers/storage/"};

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// The kernel writes blank, tab, newline, backslash and '#' as \ooo.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && text[i + 1] < '4' &&
        is_octal(text[i + 2]) && is_octal(text[i + 3])) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

struct Line {
  Mount mount;
  std::string number;  // major:minor
  bool whole = false;  // the filesystem's root, not a part of it
};

bool has_option(std::string_view options, std::string_view wanted) {
  const auto all = split(options, ',');
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

std::optional<Line> parse_line(std::string_view line) {
  const auto fields = words(line);
  if (fields.size() < kOptionalFields) return std::nullopt;
  const auto dash = std::find(fields.begin() + kOptionalFields, fields.end(), "-");
  if (fields.end() - dash < 3) return std::nullopt;
  const bool read_only = fields.end() - dash > 3 && has_option(*(dash + 3), "ro");
  return Line{{unescaped(fields[4]), unescaped(*(dash + 2)), unescaped(*(dash + 1)), read_only},
              std::string(fields[2]),
              fields[3] == "/"};
}

bool holds_data(const Mount& mount) {
  if (mount.type == "overlay") return mount.point == "/";
  if (std::find(kDiskTypes.begin(), kDiskTypes.end(), mount.type) == kDiskTypes.end()) return false;
  return std::none_of(kEngines.begin(), kEngines.end(),
                      [&](std::string_view engine) { return mount.point.starts_with(engine); });
}

bool better(const Line& a, const Line& b) {
  if (a.whole != b.whole) return a.whole;
  return a.mount.point.size() < b.mount.point.size();
}

/// By mount point, without those that another mount at the same place covers.
std::map<std::string, Line> seen(std::string_view mountinfo) {
  std::map<std::string, Line> result;
  for (const std::string_view text : split(mountinfo, '\n')) {
    if (auto line = parse_line(text)) {
      std::string point = line->mount.point;
      result.insert_or_assign(std::move(point), std::move(*line));
    }
  }
  return result;
}

}  // namespace

Result<Mounts> parse_mounts(std::string_view mountinfo, const std::set<std::string>& shown_before) {
  const auto lines = seen(mountinfo);
  if (lines.empty()) return fail("/proc/self/mountinfo: no mount");
  std::map<std::string, const Line*> by_number;
  for (const auto& [point, line] : lines) {
    if (!holds_data(line.mount)) continue;
    const Line*& best = by_number[line.number];
    if (best == nullptr || better(line, *best)) best = &line;
  }
  std::vector<Mount> mounts;
  mounts.reserve(by_number.size());
  for (const auto& [number, line] : by_number) mounts.push_back(line->mount);
  std::sort(mounts.begin(), mounts.end(), [&](const Mount& a, const Mount& b) {
    const bool a_before = shown_before.contains(a.point);
    const bool b_before = shown_before.contains(b.point);
    return a_before != b_before ? a_before : a.point < b.point;
  });
  Mounts result;
  result.left_out = mounts.size() - std::min(mounts.size(), kMaxMounts);
  mounts.resize(mounts.size() - result.left_out);
  result.shown = std::move(mounts);
  return result;
}

}  // namespace ua
