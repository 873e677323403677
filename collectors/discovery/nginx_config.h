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
  std::vector<std::string> problems;  ///< "file:line: what", a bounded number
  std::filesystem::path root;         ///< relative paths are seen from there
};

/// Adds "place: what" where that is new and there is room; the last one says that there is more.
/// @param place "file:line"; empty where `what` says it
void add_nginx_note(std::vector<std::string>& notes, const std::string& place,
                    const std::string& what);

/// One file's text, without includes. Pure.
NginxConfig parse_nginx(std::string_view text, const std::string& file);

/// `root`/nginx.conf with everything it includes; globs and relative paths as nginx takes them.
NginxConfig read_nginx(const std::filesystem::path& root);

}  // namespace ua
