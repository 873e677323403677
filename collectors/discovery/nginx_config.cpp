// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_config.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <utility>

#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"
#include "collectors/discovery/nginx_lexer.h"

namespace ua {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;
constexpr std::size_t kMaxTotal = 16 << 20;
constexpr std::size_t kMaxFiles = 1000;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxDirectives = 200'000;
constexpr std::size_t kMaxNotes = 100;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class Parser {
 public:
  Parser(std::string_view text, std::string file, NginxConfig& config)
      : lexer_(text), file_(std::move(file)), config_(config) {}

  void parse() {
    // The open blocks; a stack of our own, so that no nesting can exhaust the thread's.
    std::vector<NginxDirective> open(1);
    NginxDirective current;
    while (const auto token = lexer_.next()) {
      switch (token->kind) {
        case NginxToken::Kind::word:
          add_word(current, *token);
          break;
        case NginxToken::Kind::end:
          close_directive(open.back(), current);
          break;
        case NginxToken::Kind::open:
          open_block(open, current, token->line);
          break;
        case NginxToken::Kind::close:
          close_block(open, current, token->line);
          break;
      }
      if (stopped_) break;
    }
    if (!stopped_) check_end(open.back(), open.size(), current);
    while (open.size() > 1) fold(open);
    config_.directives = std::move(open.front().block);
  }

 private:
  void problem(unsigned line, const std::string& what) {
    add_nginx_note(config_.problems, file_ + ':' + std::to_string(line), what);
  }

  void check_end(const NginxDirective& last, std::size_t open, const NginxDirective& current) {
    if (!current.name.empty()) no_semicolon(current);
    if (open > 1) problem(last.line, "a block is not closed");
  }

  // Its name may be anything, a password's hash too, where a file is none of nginx's.
  void no_semicolon(const NginxDirective& current) {
    problem(current.line, "a directive is not ended by ';'");
  }

  void add_word(NginxDirective& current, const NginxToken& token) {
    if (!token.closed) {
      problem(token.line, "a quote that begins here is not closed; the rest is left out");
      stopped_ = true;
      return;
    }
    if (current.name.empty()) {
      current.name = token.text;
      current.line = token.line;
      current.file = file_;
    } else {
      current.arguments.push_back(token.text);
    }
  }

  /// Counts a directive or block more.
  bool too_many(unsigned line) {
    if (++count_ <= kMaxDirectives) return false;
    problem(line, "more directives than are read; the rest is left out");
    stopped_ = true;
    return true;
  }

  void close_directive(NginxDirective& parent, NginxDirective& current) {
    if (too_many(current.line)) return;
    if (!current.name.empty()) parent.block.push_back(std::move(current));
    current = {};
  }

  void open_block(std::vector<NginxDirective>& open, NginxDirective& current, unsigned line) {
    if (current.name.ends_with("_by_lua_block")) {
      if (!lexer_.skip_lua_block()) problem(current.line, "a block of Lua is not closed");
      close_directive(open.back(), current);
      return;
    }
    if (too_many(line)) return;
    if (open.size() > kMaxDepth) {
      problem(line, "blocks are nested deeper than is read; the rest is left out");
      stopped_ = true;
      return;
    }
    current.line = line;
    current.file = file_;
    open.push_back(std::move(current));
    current = {};
  }

  void close_block(std::vector<NginxDirective>& open, NginxDirective& current, unsigned line) {
    if (!current.name.empty()) no_semicolon(current);
    current = {};
    if (open.size() == 1) return problem(line, "'}' without '{'");
    fold(open);
  }

  static void fold(std::vector<NginxDirective>& open) {
    NginxDirective done = std::move(open.back());
    open.pop_back();
    open.back().block.push_back(std::move(done));
  }

  NginxLexer lexer_;
  std::string file_;
  NginxConfig& config_;
  std::size_t count_ = 0;
  bool stopped_ = false;
};

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

/// The files that an `include` names, in glob's order. As for nginx, no match is no mistake.
std::vector<std::filesystem::path> expand(const std::string& pattern) {
  std::vector<std::filesystem::path> result;
  glob_t found{};
  // Unsafe only while another thread changes the environment or the locale, which none does.
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {  // NOLINT(concurrency-mt-unsafe)
    for (std::size_t i = 0; i < found.gl_pathc && i < kMaxFiles; ++i) {
      result.emplace_back(found.gl_pathv[i]);
    }
  }
  globfree(&found);
  return result;
}

class Reader {
 public:
  explicit Reader(std::filesystem::path root) : root_(std::move(root)) {}

  std::vector<std::string> problems;

  std::vector<NginxDirective> read(const std::filesystem::path& path) {
    const std::string file = path.string();
    if (std::find(open_.begin(), open_.end(), file) != open_.end()) {
      add_nginx_note(problems, file, "includes itself");
      return {};
    }
    // Snippets are included many times.
    if (const auto known = known_.find(file); known != known_.end()) {
      directives_ += known->second.count;
      return directives_ > kMaxDirectives ? left_out(file) : known->second.directives;
    }
    const bool room = files_ < kMaxFiles && bytes_ <= kMaxTotal && directives_ <= kMaxDirectives;
    if (open_.size() >= 16 || !room) return left_out(file);
    ++files_;
    const std::size_t before = directives_;
    open_.push_back(file);
    std::vector<NginxDirective> result = read_new(path);
    open_.pop_back();
    known_[file] = {result, directives_ - before};
    return result;
  }

 private:
  struct Known {
    std::vector<NginxDirective> directives;  // with what is included in them
    std::size_t count = 0;                   // of all these
  };

  std::vector<NginxDirective> left_out(const std::string& file) {
    if (!std::exchange(told_, true)) {
      add_nginx_note(problems, file, "not read, nor what else would be: too much is included");
    }
    return {};
  }

  std::vector<NginxDirective> read_new(const std::filesystem::path& path) {
    const Result<std::string> text = read_regular_file(path, kMaxFile);
    if (!text) {
      add_nginx_note(problems, {}, text.error().message);
      return {};
    }
    bytes_ += text->size();
    NginxConfig parsed = parse_nginx(*text, path.string());
    for (const std::string& problem : parsed.problems) add_nginx_note(problems, {}, problem);
    directives_ += count(parsed.directives);
    return with_includes(std::move(parsed.directives));
  }

  static std::size_t count(const std::vector<NginxDirective>& directives) {
    std::size_t result = directives.size();
    for (const NginxDirective& directive : directives) result += count(directive.block);
    return result;
  }

  // Depth is bounded by kMaxDepth blocks and 16 includes.
  std::vector<NginxDirective> with_includes(std::vector<NginxDirective> directives) {
    std::vector<NginxDirective> result;
    for (NginxDirective& directive : directives) {
      if (directive.name == "include" && directive.arguments.size() == 1) {
        include(directive, result);
        continue;
      }
      if (!directive.block.empty()) directive.block = with_includes(std::move(directive.block));
      result.push_back(std::move(directive));
    }
    return result;
  }

  /// A relative path is seen from nginx.conf, whichever file it stands in.
  void include(const NginxDirective& directive, std::vector<NginxDirective>& to) {
    const std::filesystem::path path = root_ / directive.arguments[0];
    if (!is_pattern(path.string())) return append(read(path), to);
    const auto files = expand(path.string());
    for (const auto& file : files) append(read(file), to);
    const std::string folder = path.parent_path().string();
    if (files.empty() && ::access(folder.c_str(), R_OK | X_OK) != 0 && errno == EACCES) {
      add_nginx_note(problems, directive.file + ':' + std::to_string(directive.line),
                     folder + " cannot be listed");
    }
  }

  static void append(std::vector<NginxDirective> from, std::vector<NginxDirective>& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  }

  std::filesystem::path root_;
  std::vector<std::string> open_;
  std::map<std::string, Known> known_;
  std::size_t files_ = 0;
  std::size_t bytes_ = 0;
  std::size_t directives_ = 0;
  bool told_ = false;
};

}  // namespace

void add_nginx_note(std::vector<std::string>& notes, const std::string& place,
                    const std::string& what) {
  std::string line = place + (place.empty() ? "" : ": ") + what;
  const bool known = std::find(notes.begin(), notes.end(), line) != notes.end();
  if (known || notes.size() > kMaxNotes) return;
  if (notes.size() == kMaxNotes) line += " (and there is more, which is left out)";
  notes.push_back(std::move(line));
}

NginxConfig parse_nginx(std::string_view text, const std::string& file) {
  NginxConfig config;
  if (text.starts_with(kByteOrderMark)) {
    config.problems.push_back(file + ":1: begins with a byte order mark, which nginx refuses");
    text.remove_prefix(kByteOrderMark.size());
  }
  Parser(text, file, config).parse();
  return config;
}

NginxConfig read_nginx(const std::filesystem::path& root) {
  NginxConfig config;
  config.root = root;
  std::error_code error;  // set where it cannot be told; then the reading says why
  if (!std::filesystem::exists(root / "nginx.conf", error) && !error) return config;
  Reader reader(root);
  config.directives = reader.read(root / "nginx.conf");
  config.problems = std::move(reader.problems);
  return config;
}

}  // namespace ua
