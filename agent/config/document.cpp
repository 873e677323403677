// SPDX-License-Identifier: Apache-2.0
#include "agent/config/document.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr toml::format_flags kFormat =
    toml::toml_formatter::default_flags & ~toml::format_flags::indentation;
constexpr const char* kSecret = "<secret>";

/// Texts that are sent to an upstream: what is in them is anyone's guess.
constexpr std::array<std::string_view, 2> kSent{"body", "send"};

/// Keys of ours: "password", but not "password_file".
bool is_secret(std::string_view table, std::string_view key) {
  if (table == "basic_auth_users") return true;
  if (table == "headers") return names_credential(key);
  if (std::find(kSent.begin(), kSent.end(), key) != kSent.end()) return true;
  return key == "password" || key.ends_with("_password") || key.ends_with("token") ||
         key.ends_with("secret");
}

void hide(toml::node& node, std::string_view table, std::string_view key);

void hide(toml::table& nodes, std::string_view name) {
  for (auto&& [key, node] : nodes) hide(node, name, key.str());
}

/// Of a list, each item is what its key is.
void hide(toml::node& node, std::string_view table, std::string_view key) {
  if (toml::table* inner = node.as_table()) {
    hide(*inner, key);
  } else if (toml::array* list = node.as_array()) {
    for (toml::node& item : *list) hide(item, table, key);
  } else if (toml::value<std::string>* text = node.as_string()) {
    if (is_secret(table, key)) {
      text->get() = kSecret;
    } else if (text->get().find("://") != std::string::npos) {
      text->get() = without_secrets(text->get());
    }
  }
}

void unite(toml::table& into, const toml::table& from) {
  for (const auto& [key, node] : from) {
    toml::node* const there = into.get(key.str());
    if (there != nullptr && there->is_table() && node.is_table()) {
      unite(*there->as_table(), *node.as_table());
    } else if (there != nullptr && there->is_array() && node.is_array()) {
      for (const toml::node& item : *node.as_array()) there->as_array()->push_back(item);
    } else {
      into.insert_or_assign(key.str(), node);
    }
  }
}

std::shared_ptr<ConfigDocument> copy_of(const ConfigDocumentPtr& document) {
  return document != nullptr ? std::make_shared<ConfigDocument>(*document)
                             : std::make_shared<ConfigDocument>();
}

}  // namespace

ConfigDocumentPtr united(const std::vector<toml::table>& documents) {
  auto result = std::make_shared<ConfigDocument>();
  for (const toml::table& document : documents) unite(result->table, document);
  return result;
}

void set_in_document(ConfigDocumentPtr& document, std::string_view table, std::string_view key,
                     const std::vector<std::string>& values) {
  auto next = copy_of(document);
  toml::table* inner = next->table[table].as_table();
  if (inner == nullptr) {
    inner = next->table.insert_or_assign(table, toml::table{}).first->second.as_table();
  }
  if (values.size() == 1) {
    inner->insert_or_assign(key, values.front());
  } else {
    toml::array list;
    for (const std::string& value : values) list.push_back(value);
    inner->insert_or_assign(key, std::move(list));
  }
  document = std::move(next);
}

void keep_in_document(ConfigDocumentPtr& document, const ConfigDocumentPtr& from,
                      std::string_view path) {
  const std::size_t dot = path.find('.');
  const std::string_view table = path.substr(0, dot);
  const std::string_view key = path.substr(dot + 1);
  auto next = copy_of(document);
  const toml::node* const before = from != nullptr ? from->table[table][key].node() : nullptr;
  if (toml::table* inner = next->table[table].as_table()) {
    if (before != nullptr) {
      inner->insert_or_assign(key, *before);
    } else {
      inner->erase(key);
    }
  } else if (before != nullptr) {
    toml::table made;
    made.insert_or_assign(key, *before);
    next->table.insert_or_assign(table, std::move(made));
  }
  document = std::move(next);
}

std::string show_document(const ConfigDocumentPtr& document) {
  const auto shown = copy_of(document);
  hide(shown->table, "");
  std::ostringstream out;
  out << "# The configuration in use: all files in one, flags of the command line included. Keys\n"
         "# that are not here have their defaults.\n\n"
      << toml::toml_formatter(shown->table, kFormat) << '\n';
  return out.str();
}

}  // namespace ua
