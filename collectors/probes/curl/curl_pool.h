// SPDX-License-Identifier: Apache-2.0
// A CurlMulti for each file of root certificates: libcurl keeps the parsed file with the multi
// handle for a day, whatever becomes of the file, and one file only. Owned by a ProbeEngine; loop
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "collectors/core/fresh_read.h"
#include "collectors/core/result.h"
#include "collectors/probes/curl/curl_multi.h"
#include "collectors/probes/curl/root_certificates.h"

namespace ua {

class CurlPool {
 public:
  /// Hold it until the transfer is over.
  using Trusting = Result<std::shared_ptr<CurlMulti>>;
  using Then = std::function<void(const Trusting&)>;

  /// @param files for reading what may lie where reading hangs
  CurlPool(Loop& loop, Worker& files);
  CurlPool(const CurlPool&) = delete;
  CurlPool& operator=(const CurlPool&) = delete;

  /// For transfers that verify nobody.
  const std::shared_ptr<CurlMulti>& plain() const { return plain_; }
  /// For transfers that trust what stands in `ca_file` now (looked at once a second; empty: in the
  /// system's bundle). Calls `then` once, perhaps from inside, unless the pool goes before.
  void trusting(const std::string& ca_file, const Then& then);

 private:
  struct Entry {
    FreshRead<Roots> roots;
    std::shared_ptr<CurlMulti> multi;  // with the roots of `stamp`
    std::string stamp;
    Time asked;
  };
  Trusting multi_for(const std::string& ca_file, const Roots& roots);
  void forget_unused(Time now);

  Loop& loop_;
  Worker& files_;
  std::shared_ptr<CurlMulti> plain_;
  std::map<std::string, Entry> by_file_;
};

}  // namespace ua
