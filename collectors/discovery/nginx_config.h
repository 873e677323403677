// SPDX-License-Identifier: Apache-2.0
// nginx's configuration as a tree. Reads files only, executes nothing; bounded in bytes, files and
// depth, so that no configuration can hold it up.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ua {

struct NginxDirective {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<NginxDirective> block;
  std::string file;
  unsigned line = 0;
};

struct NginxConfig {
  std::vector<NginxDirective> directives;
  std::vector<std::string> problems;  ///< "file:line: what"
  std::filesystem::path root;         ///< relative paths are seen from there
};

/// One file's text, without includes. Pure.
NginxConfig parse_nginx(std::string_view text, const std::string& file);

/// `root`/nginx.conf with everything it includes; globs and relative paths as nginx takes them.
NginxConfig read_nginx(const std::filesystem::path& root);

}  // namespace ua
