// SPDX-License-Identifier: Apache-2.0
// Whether a systemd sandbox hides a Unix socket from this process: then the agent cannot know
// whether it exists, and must not say that nothing listens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ua {

struct HidingMount {
  std::string mount_point;
  std::string_view setting;  ///< of systemd.exec(5): "PrivateTmp", "ProtectHome", ...
};

/// Pure; `mountinfo` is what proc_pid_mountinfo(5) describes.
std::optional<HidingMount> hiding_mount(std::string_view mountinfo, std::string_view path);

/// The same for this process, and what to do about it for a person to read.
std::optional<std::string> explain_hidden(std::string_view path);

}  // namespace ua
