// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/target.h"

namespace ua {

std::string Target::authority() const {
  if (is_unix()) return unix_path;
  const std::string bracketed = host.find(':') == std::string::npos ? host : '[' + host + ']';
  return bracketed + ':' + std::to_string(port);
}

}  // namespace ua
