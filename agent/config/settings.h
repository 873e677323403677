// SPDX-License-Identifier: Apache-2.0
// Reads the tables that stand once in a configuration: all but [[upstream]]. Main thread.
#pragma once

#include <map>
#include <string>

#include "agent/config/config.h"
#include "collectors/core/table_reader.h"

namespace ua {

class SettingsReader {
 public:
  explicit SettingsReader(Config& config) : config_(config), defaults_(config.defaults) {}

  /// One file's. A key that another file set already is a mistake.
  /// @param document the one that `root` reads
  void read(TableReader& root, const toml::table& document);

  /// After all files: what only keys of several tables or files together can get wrong.
  void check(Diagnostics& diagnostics);

 private:
  void complain(Diagnostics& diagnostics, std::string_view key, std::string message) const;
  void claim(TableReader& root, const toml::table& table, const std::string& path);
  void read_web(TableReader& table);
  void read_logging(TableReader& table);
  void read_agent(TableReader& table);
  void read_shard(TableReader& table);
  void read_limits(TableReader& table);
  void read_defaults(TableReader& table);
  void read_metrics(TableReader& table);
  void read_buckets(TableReader& table);
  void read_host(TableReader& table);
  void read_discovery(TableReader& table);

  Config& config_;
  UpstreamDefaults& defaults_;
  /// Where each key is set, and each table begins.
  struct Place {
    std::string file;
    unsigned line = 0;
    unsigned column = 0;
  };
  std::map<std::string, Place, std::less<>> claimed_;
};

}  // namespace ua
