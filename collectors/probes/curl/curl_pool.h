// SPDX-License-Identifier: Apache-2.0
// A CurlMulti for each file of root certificates: libcurl keeps the parsed file with the multi
// handle for a day, whatever becomes of the file, and one file only. Owned by a ProbeEngine; loop
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "collectors/probes/curl/curl_multi.h"
#include "collectors/probes/target.h"

namespace ua {

class CurlPool {
 public:
  explicit CurlPool(Loop& loop);

  /// For transfers that verify nobody.
  const std::shared_ptr<CurlMulti>& plain() const { return plain_; }
  /// For transfers that trust what stands in `ca_file` now (looked at once a second). Hold it until
  /// the transfer is over.
  std::shared_ptr<CurlMulti> trusting(const std::string& ca_file);

  /// The system's bundle of root certificates; empty where there is none.
  static std::string system_bundle();

 private:
  struct Entry {
    std::shared_ptr<CurlMulti> multi;
    std::string stamp;  // of the file: a change of it means to read it again
    Time checked;
  };
  void forget_unused(Time now);

  Loop& loop_;
  std::shared_ptr<CurlMulti> plain_;
  std::map<std::string, Entry> by_file_;
};

}  // namespace ua
