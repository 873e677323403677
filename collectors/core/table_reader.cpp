// SPDX-License-Identifier: Apache-2.0
#include "collectors/core/table_reader.h"

#include <algorithm>

#include "collectors/core/text.h"

namespace ua {
namespace {

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a decimal number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::string joined(std::span<const std::string_view> words) {
  std::string result;
  for (const std::string_view word : words) {
    if (!result.empty()) result += ", ";
    result += word;
  }
  return result;
}

std::string out_of_range(std::int64_t value, std::int64_t least, std::int64_t most) {
  return std::to_string(value) + " is out of range; it goes from " + std::to_string(least) +
         " to " + std::to_string(most);
}

}  // namespace

TableReader::TableReader(const toml::table& table, Diagnostics& diagnostics, std::string file,
                         std::string path, std::span<const KeyPlace> places)
    : table_(table),
      diagnostics_(diagnostics),
      file_(std::move(file)),
      path_(std::move(path)),
      places_(places) {}

std::string TableReader::full(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

const toml::node* TableReader::node(std::string_view key) {
  asked_.emplace(key);
  return table_.get(key);
}

void TableReader::complain_at(const toml::node& node, std::string message) {
  const toml::source_position at = node.source().begin;
  diagnostics_.push_back(Diagnostic{file_, at.line, at.column, std::move(message)});
}

void TableReader::complain_item(std::string_view key, const toml::node& item, std::string message) {
  complain_at(item, full(key) + ": " + std::move(message));
}

void TableReader::complain(std::string_view key, std::string message) {
  const toml::node* found = table_.get(key);
  complain_at(found != nullptr ? *found : table_, full(key) + ": " + std::move(message));
}

void TableReader::expected(std::string_view key, const toml::node& found, std::string_view what) {
  complain_at(found, full(key) + ": expected " + std::string(what) + ", found " + kind_of(found));
}

void TableReader::not_yet(std::string_view key) {
  if (node(key) != nullptr) complain(key, "not supported by this version");
}

std::optional<std::string> TableReader::text(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (auto value = found->value_exact<std::string>()) return value;
  expected(key, *found, "a text in quotes");
  return std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto value = found->value_exact<bool>()) return value;
  expected(key, *found, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const auto value = found->value_exact<std::int64_t>();
  if (!value) {
    expected(key, *found, "an integer");
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return value;
  complain(key, out_of_range(*value, least, most));
  return std::nullopt;
}

std::optional<Duration> TableReader::duration(std::string_view key, Duration least, Duration most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const auto written = found->value_exact<std::string>();
  if (!written) {
    expected(key, *found, "a duration such as \"5s\" or \"250ms\"");
    return std::nullopt;
  }
  const auto value = parse_duration(*written);
  if (!value) {
    complain(key, "'" + escape_line(*written, 60) +
                      "' is no duration; write a number with a unit, such as \"5s\" or \"250ms\"");
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return value;
  complain(key, format_duration(*value) + " is out of range; it goes from " +
                    format_duration(least) + " to " + format_duration(most));
  return std::nullopt;
}

std::optional<std::uint64_t> TableReader::size(std::string_view key, std::uint64_t least,
                                               std::uint64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  std::optional<std::uint64_t> value;
  if (const auto written = found->value_exact<std::string>()) value = parse_size(*written);
  const auto plain = found->value_exact<std::int64_t>();
  if (plain && *plain >= 0) value = static_cast<std::uint64_t>(*plain);
  if (!value) {
    complain(key, "expected a size such as \"1MiB\", \"64KiB\" or a number of bytes");
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return value;
  complain(key, std::to_string(*value) + " bytes is out of range; it goes from " +
                    std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::size_t> TableReader::index_of(std::string_view key, const Item& item,
                                                 std::span<const std::string_view> words) {
  const auto found = std::find(words.begin(), words.end(), item.text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const auto close = nearest(item.text, words);
  complain_item(key, *item.node,
                "'" + escape_line(item.text, 60) + "' is not one of " + joined(words) +
                    (close ? "; did you mean '" + std::string(*close) + "'?" : ""));
  return std::nullopt;
}

std::optional<std::size_t> TableReader::choice(std::string_view key,
                                               std::span<const std::string_view> words) {
  const auto written = text(key);
  if (!written) return std::nullopt;
  return index_of(key, Item{*written, table_.get(key)}, words);
}

std::optional<std::vector<std::size_t>> TableReader::choices(
    std::string_view key, std::span<const std::string_view> words) {
  const auto items = texts(key);
  if (!items) return std::nullopt;
  std::vector<std::size_t> result;
  for (const Item& item : *items) {
    const auto index = index_of(key, item, words);
    if (!index) continue;
    if (std::find(result.begin(), result.end(), *index) == result.end()) {
      result.push_back(*index);
    } else {
      complain_item(key, *item.node, "'" + item.text + "' stands there twice");
    }
  }
  return result;
}

std::optional<std::vector<std::int64_t>> TableReader::integers(std::string_view key,
                                                               std::int64_t least,
                                                               std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const toml::array* list = found->as_array();
  if (list == nullptr) {
    expected(key, *found, "a list of integers");
    return std::nullopt;
  }
  std::vector<std::int64_t> result;
  for (const toml::node& item : *list) {
    const auto value = item.value_exact<std::int64_t>();
    if (!value) {
      expected(key, item, "an integer");
    } else if (*value < least || *value > most) {
      complain_item(key, item, out_of_range(*value, least, most));
    } else {
      result.push_back(*value);
    }
  }
  return result;
}

std::optional<std::vector<TableReader::Item>> TableReader::texts(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (auto one = found->value_exact<std::string>())
    return std::vector{Item{std::move(*one), found}};
  const toml::array* list = found->as_array();
  if (list == nullptr) {
    expected(key, *found, "a list of texts");
    return std::nullopt;
  }
  std::vector<Item> result;
  for (const toml::node& item : *list) {
    if (auto value = item.value_exact<std::string>()) {
      result.push_back(Item{std::move(*value), &item});
    } else {
      expected(key, item, "a text in quotes");
    }
  }
  return result;
}

std::vector<TableReader::Pair> TableReader::text_pairs(std::string_view key) {
  std::vector<Pair> result;
  const toml::node* found = node(key);
  if (found == nullptr) return result;
  const toml::table* pairs = found->as_table();
  if (pairs == nullptr) {
    expected(key, *found, "a table such as { name = \"value\" }");
    return result;
  }
  for (const auto& [name, value] : *pairs) {
    if (const auto written = value.value_exact<std::string>()) {
      result.push_back({std::string(name.str()), *written, &value});
    } else {
      expected(std::string(key) + '.' + escape_line(name.str(), 60), value, "a text in quotes");
    }
  }
  return result;
}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const toml::table* inner = found->as_table()) {
    return TableReader(*inner, diagnostics_, file_, full(key), places_);
  }
  expected(key, *found, "a table");
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> result;
  const toml::node* found = node(key);
  if (found == nullptr) return result;
  const toml::array* list = found->as_array();
  if (list == nullptr) {
    complain(key, "is a list of tables; write [[" + full(key) + "]]");
    return result;
  }
  for (const toml::node& item : *list) {
    if (const toml::table* inner = item.as_table()) {
      result.emplace_back(*inner, diagnostics_, file_, full(key), places_);
    } else {
      expected(key, item, "a table");
    }
  }
  return result;
}

/// What to do with a key that this table does not know; empty where nothing comes to mind.
std::string TableReader::advice(std::string_view key, const toml::node& found) const {
  std::string places;
  for (const KeyPlace& place : places_) {
    if (place.key != key) continue;
    if (!places.empty()) places += " or ";
    if (found.is_table()) {
      places += '[' + std::string(place.table) + '.' + std::string(key) + ']';
    } else {
      places += place.table == "upstream" ? "[[upstream]]" : '[' + std::string(place.table) + ']';
    }
  }
  if (!places.empty()) return (found.is_table() ? "; write " : "; it belongs in ") + places;
  const std::vector<std::string_view> known(asked_.begin(), asked_.end());
  const auto close = nearest(key, known);
  return close ? "; did you mean '" + std::string(*close) + "'?" : "";
}

void TableReader::finish() {
  for (const auto& [key, value] : table_) {
    if (asked_.contains(key.str())) continue;
    const toml::source_position at = key.source().begin;
    diagnostics_.push_back(Diagnostic{
        file_, at.line, at.column,
        "unknown key '" + escape_line(full(key.str()), 120) + '\'' + advice(key.str(), value)});
  }
}

}  // namespace ua
