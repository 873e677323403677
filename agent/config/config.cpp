// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <tuple>

#include "agent/config/document.h"
#include "agent/config/key_places.h"
#include "agent/config/settings.h"
#include "agent/config/toml_file.h"
#include "agent/config/upstream_reader.h"
#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

auto place(const Diagnostic& diagnostic) {
  return std::tie(diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.message);
}

/// A table that two probe types read says its mistakes twice.
void sort_and_unite(Diagnostics& diagnostics) {
  std::sort(diagnostics.begin(), diagnostics.end(),
            [](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) { return place(a) == place(b); };
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), same), diagnostics.end());
}

/// Settings come first, of all files: an upstream depends on them wherever they stand.
Config read_all(const std::vector<ConfigText>& texts, Diagnostics& diagnostics) {
  std::vector<toml::table> documents;
  std::vector<TableReader> roots;
  documents.reserve(texts.size());  // the readers refer to them
  for (const ConfigText& text : texts) {
    auto document = parse_toml(text, diagnostics);
    if (!document) continue;
    documents.push_back(std::move(*document));
    roots.emplace_back(documents.back(), diagnostics, text.file, "", key_places());
  }
  Config config;
  SettingsReader settings(config);
  for (std::size_t i = 0; i < roots.size(); ++i) settings.read(roots[i], documents[i]);
  settings.check(diagnostics);
  UpstreamReader upstreams(config.defaults, config.limits.probe);
  for (TableReader& root : roots) {
    for (TableReader& table : root.tables("upstream")) {
      config.upstreams.push_back(upstreams.read(table));
    }
    for (const std::string_view later : {"tail", "proxy", "services"}) root.not_yet(later);
    root.finish();
  }
  config.files = texts.size();
  config.document = united(documents);
  return config;
}

std::filesystem::path conf_d(const std::filesystem::path& file) {
  return file.parent_path() / kConfD;
}

tl::expected<Config, Diagnostics> config_or(Config config, Diagnostics diagnostics) {
  if (diagnostics.empty()) return config;
  sort_and_unite(diagnostics);
  return tl::unexpected(std::move(diagnostics));
}

/// @param called what the operator knows them as
tl::expected<Config, Diagnostics> load_files(const std::vector<std::filesystem::path>& files,
                                             const std::filesystem::path& called,
                                             Diagnostics diagnostics) {
  const std::vector<ConfigText> texts = read_config_files(files, diagnostics);
  Config config = read_all(texts, diagnostics);
  config.file = called;
  return config_or(std::move(config), std::move(diagnostics));
}

}  // namespace

tl::expected<Config, Diagnostics> read_config(const std::vector<ConfigText>& texts) {
  Diagnostics diagnostics;
  Config config = read_all(texts, diagnostics);
  return config_or(std::move(config), std::move(diagnostics));
}

tl::expected<Config, Diagnostics> load_config(const std::filesystem::path& file) {
  Diagnostics diagnostics;
  std::vector<std::filesystem::path> files = toml_files_of(conf_d(file), diagnostics);
  files.insert(files.begin(), file);
  return load_files(files, file, std::move(diagnostics));
}

tl::expected<Config, Diagnostics> load_default_config(const std::filesystem::path& file) {
  // A dangling link is a file that cannot be read: somebody meant it to be there.
  struct stat status {};
  const int error = lstat(file.c_str(), &status) == 0 ? 0 : errno;
  if (error == 0) return load_config(file);
  if (error != ENOENT) {
    return tl::unexpected(
        Diagnostics{{file.string(), 0, 0, "cannot be read: " + errno_text(error)}});
  }
  Diagnostics diagnostics;
  const std::vector<std::filesystem::path> files = toml_files_of(conf_d(file), diagnostics);
  if (files.empty() && diagnostics.empty()) return default_config();
  return load_files(files, conf_d(file), std::move(diagnostics));
}

Config default_config() {
  Config config;
  config.discovery.nginx = true;
  return config;
}

}  // namespace ua
