// SPDX-License-Identifier: Apache-2.0
// Reads one TOML table key by key. Every mistake becomes a Diagnostic with its place and the reader
// goes on with the default, so that all are reported at once; keys that nobody asked for are
// mistakes too. Lives while the parsed document does.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/core/diagnostic.h"
#include "collectors/core/time.h"

namespace ua {

/// A table that knows a key: {"upstream.http", "method"}.
struct KeyPlace {
  std::string_view table;
  std::string_view key;
};

class TableReader {
 public:
  /// @param path how the table is called in messages ("upstream.http"); empty for the root
  /// @param places told to who wrote a key into a table that does not know it
  TableReader(const toml::table& table, Diagnostics& diagnostics, std::string file,
              std::string path, std::span<const KeyPlace> places = {});

  bool has(std::string_view key) const { return table_.contains(key); }
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  /// "5s"; a bare number is a mistake.
  std::optional<Duration> duration(std::string_view key, Duration least, Duration most);
  /// Bytes: "1MiB" or an integer.
  std::optional<std::uint64_t> size(std::string_view key, std::uint64_t least, std::uint64_t most);
  /// One of a closed list of words; returns its index.
  std::optional<std::size_t> choice(std::string_view key, std::span<const std::string_view> words);
  /// A list of such words, none twice; returns their indexes.
  std::optional<std::vector<std::size_t>> choices(std::string_view key,
                                                  std::span<const std::string_view> words);
  std::optional<std::vector<std::int64_t>> integers(std::string_view key, std::int64_t least,
                                                    std::int64_t most);
  struct Item {
    std::string text;
    const toml::node* node;  ///< for complain_at()
  };
  /// A list of texts; a lone text counts as a list of one.
  std::optional<std::vector<Item>> texts(std::string_view key);
  struct Pair {
    std::string key;
    std::string value;
    const toml::node* node;  ///< the value, for complain_item()
  };
  /// All pairs of a table whose values are texts, in key order.
  std::vector<Pair> text_pairs(std::string_view key);
  std::optional<TableReader> table(std::string_view key);
  /// The tables of an array of tables; empty where the key is absent.
  std::vector<TableReader> tables(std::string_view key);
  /// The raw node, marked as read.
  const toml::node* node(std::string_view key);

  /// Reports a mistake at the key's value, or at the table where there is no such key.
  void complain(std::string_view key, std::string message);
  void complain_at(const toml::node& node, std::string message);
  /// Reports a mistake at an item of the key's list.
  void complain_item(std::string_view key, const toml::node& item, std::string message);
  /// Says that the key exists in the design but not in this version.
  void not_yet(std::string_view key);
  /// Call last: complains about every key that was never asked for.
  void finish();

  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }
  unsigned line() const { return table_.source().begin.line; }

 private:
  std::string full(std::string_view key) const;
  std::optional<std::size_t> index_of(std::string_view key, const Item& item,
                                      std::span<const std::string_view> words);
  void expected(std::string_view key, const toml::node& found, std::string_view what);
  std::string advice(std::string_view key, const toml::node& found) const;

  const toml::table& table_;
  Diagnostics& diagnostics_;
  std::string file_;
  std::string path_;
  std::span<const KeyPlace> places_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace ua
