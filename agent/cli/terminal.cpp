// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace ua {

bool writes_to_terminal() { return isatty(STDOUT_FILENO) == 1; }

bool wants_colour() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
    return std::string_view(value == nullptr ? "" : value);
  };
  return writes_to_terminal() && set("NO_COLOR").empty() && set("TERM") != "dumb";
}

TerminalSize terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace ua
