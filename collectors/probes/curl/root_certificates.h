// SPDX-License-Identifier: Apache-2.0
// Root certificates as they stand in a file, in memory, so that libcurl's TLS library, which reads
// them when a handshake begins, never waits for a disk. The functions run on a worker.
#pragma once

#include <memory>
#include <string>

#include "collectors/core/result.h"
#include "collectors/core/unique_fd.h"

namespace ua {

struct RootCertificates {
  std::string stamp;  ///< of the file: it changes whenever the content may have
  UniqueFd content;   ///< of a file that exists in memory alone

  /// Under which libcurl can open it.
  std::string path() const;
};

using Roots = Result<std::shared_ptr<const RootCertificates>>;

/// @param file empty: the system's bundle
/// @param known what was read before; returned where the file did not change
Roots read_root_certificates(const std::string& file, const Roots& known);

}  // namespace ua
