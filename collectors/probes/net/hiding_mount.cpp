// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/net/hiding_mount.h"

#include <vector>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxMountinfo = 4UL * 1024 * 1024;

/// "\040" and the like back to the byte.
std::string unescape(std::string_view field) {
  std::string result;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const std::string_view digits = field.substr(i + 1, 3);
    const bool octal = field[i] == '\\' && digits.size() == 3 &&
                       digits.find_first_not_of("01234567") == std::string_view::npos;
    if (octal) {
      const int value = (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += field[i];
    }
  }
  return result;
}

bool is_under(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_home(std::string_view mount_point) {
  return mount_point == "/home" || mount_point == "/root" || mount_point == "/run/user";
}

/// How systemd mounts what it hides; empty for an ordinary mount.
std::string_view setting_behind(std::string_view root, std::string_view mount_point,
                                std::string_view fs_type) {
  const bool temporary = mount_point == "/tmp" || mount_point == "/var/tmp";
  if (temporary && root.find("/systemd-private-") != std::string_view::npos) return "PrivateTmp";
  if (root.find("systemd/inaccessible/") != std::string_view::npos) {
    return is_home(mount_point) ? "ProtectHome" : "InaccessiblePaths";
  }
  return fs_type == "tmpfs" && is_home(mount_point) ? "ProtectHome" : "";
}

}  // namespace

std::optional<HidingMount> hiding_mount(std::string_view mountinfo, std::string_view path) {
  HidingMount best;
  // id parent major:minor root mount-point options [optional...] - fs-type source options
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    std::size_t dash = 6;
    while (dash < fields.size() && fields[dash] != "-") ++dash;
    if (dash + 1 >= fields.size()) continue;
    std::string mount_point = unescape(fields[4]);
    // The deepest mount holds the path; of two at one place the later lies on top.
    if (!is_under(path, mount_point) || mount_point.size() < best.mount_point.size()) continue;
    best.setting = setting_behind(fields[3], mount_point, fields[dash + 1]);
    best.mount_point = std::move(mount_point);
  }
  return best.setting.empty() ? std::nullopt : std::optional(best);
}

std::optional<std::string> explain_hidden(std::string_view path) {
  const auto mountinfo = read_regular_file("/proc/self/mountinfo", kMaxMountinfo);
  if (!mountinfo) return std::nullopt;
  const auto hidden = hiding_mount(*mountinfo, path);
  if (!hidden) return std::nullopt;
  const std::string setting(hidden->setting);
  return setting + "= of the agent's own unit hides " + hidden->mount_point +
         ": run `systemctl edit upstream-agent`, write `[Service]` and `" + setting +
         (hidden->setting == "InaccessiblePaths" ? "=" : "=no") +
         "` (a drop-in), then `systemctl restart upstream-agent`; or let the socket lie in /run";
}

}  // namespace ua
