// SPDX-License-Identifier: Apache-2.0
#include "agent/config/toml_file.h"

#include <algorithm>
#include <string_view>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::size_t kMaxFiles = 1000;
// toml++ bounds nested values to 256 but not the parts of a dotted key, each of which is a table
// more: 100 000 of them overflow the stack. The configuration needs four.
constexpr std::size_t kMaxKeyParts = 16;

/// The message of read_regular_file() without the path, which stands before it already.
std::string without_path(std::string message, const std::string& path) {
  if (message.starts_with(path + ' ')) return message.substr(path.size() + 1);
  const std::size_t at = message.find(' ' + path);
  return at == std::string::npos ? message : message.erase(at, path.size() + 1);
}

/// Walks over a document just so far as to count the parts of dotted keys: outside comments and
/// texts (which may be parts of a key), a part more after each dot, until something that is in no
/// key.
class KeyScanner {
 public:
  explicit KeyScanner(std::string_view content) : rest_(content) {}

  /// The line of a key with too many parts; 0 where there is none.
  unsigned find() {
    while (!rest_.empty()) {
      step();
      if (dots_ >= kMaxKeyParts) return line_;
    }
    return 0;
  }

 private:
  void step() {
    const char c = rest_.front();
    if (c == '#') {
      drop(rest_.find('\n'));
    } else if (c == '"' || c == '\'') {
      skip_text(c);
    } else {
      if (c == '.') ++dots_;
      if (!is_key_character(c)) dots_ = 0;
      drop(1);
    }
  }

  static bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ' ' || c == '\t';
  }

  void drop(std::size_t bytes) {
    const std::string_view gone = rest_.substr(0, bytes);
    line_ += static_cast<unsigned>(std::count(gone.begin(), gone.end(), '\n'));
    rest_.remove_prefix(gone.size());
  }

  void skip_text(char quote) {
    const std::string triple(3, quote);
    const bool multiline = rest_.starts_with(triple);
    const std::string_view end = multiline ? std::string_view(triple) : std::string_view(&quote, 1);
    std::size_t at = end.size();
    while (at < rest_.size() && !rest_.substr(at).starts_with(end)) {
      if (!multiline && rest_[at] == '\n') break;  // not closed: the parser says so
      at += quote == '"' && rest_[at] == '\\' ? 2 : 1;
    }
    drop(at + end.size());
  }

  std::string_view rest_;
  unsigned line_ = 1;
  std::size_t dots_ = 0;
};

unsigned line_of(std::string_view content, std::size_t at) {
  return 1 + static_cast<unsigned>(std::count(content.begin(), content.begin() + at, '\n'));
}

/// What the parser should not see.
std::optional<Diagnostic> unreadable(const ConfigText& text) {
  const std::string_view content = text.content;
  if (content.starts_with("\xef\xbb\xbf")) {
    return Diagnostic{text.file, 1, 1,
                      "begins with a byte order mark; save the file as UTF-8 without one"};
  }
  if (content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff")) {
    return Diagnostic{text.file, 1, 1, "is UTF-16; save the file as UTF-8"};
  }
  if (const std::size_t nul = content.find('\0'); nul != std::string_view::npos) {
    return Diagnostic{text.file, line_of(content, nul), 1, "holds a NUL byte; it is not TOML"};
  }
  if (const unsigned line = KeyScanner(content).find(); line != 0) {
    return Diagnostic{text.file, line, 1, "a key has more than 16 parts"};
  }
  return std::nullopt;
}

void read_one(const std::filesystem::path& path, std::vector<ConfigText>& texts,
              Diagnostics& diagnostics) {
  Result<std::string> content = read_regular_file(path, kMaxFile);
  if (!content) {
    diagnostics.push_back(Diagnostic{
        path.string(), 0, 0, without_path(std::move(content.error().message), path.string())});
  } else if (trim(*content).empty()) {
    diagnostics.push_back(Diagnostic{
        path.string(), 0, 0,
        "is empty, as if it had been cut off; where that is meant, write a comment into it"});
  } else {
    texts.push_back(ConfigText{path.string(), std::move(*content)});
  }
}

}  // namespace

std::vector<std::filesystem::path> toml_files_of(const std::filesystem::path& directory,
                                                 Diagnostics& diagnostics) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    const std::filesystem::path& path = it->path();
    const bool hidden = path.filename().string().starts_with('.');
    if (path.extension() == ".toml" && !hidden) files.push_back(path);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    diagnostics.push_back(
        Diagnostic{directory.string(), 0, 0, "cannot be listed: " + error.message()});
  }
  if (files.size() > kMaxFiles) {
    diagnostics.push_back(Diagnostic{directory.string(), 0, 0, "holds more than 1000 files"});
    files.clear();
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<ConfigText> read_config_files(const std::vector<std::filesystem::path>& files,
                                          Diagnostics& diagnostics) {
  std::vector<ConfigText> texts;
  for (const std::filesystem::path& file : files) read_one(file, texts, diagnostics);
  return texts;
}

std::optional<toml::table> parse_toml(const ConfigText& text, Diagnostics& diagnostics) {
  if (auto found = unreadable(text)) {
    diagnostics.push_back(std::move(*found));
    return std::nullopt;
  }
  try {
    return toml::parse(std::string_view(text.content), std::string_view(text.file));
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    diagnostics.push_back(Diagnostic{text.file, at.line, at.column,
                                     "not valid TOML: " + escape_line(error.description())});
    return std::nullopt;
  }
}

}  // namespace ua
