// SPDX-License-Identifier: Apache-2.0
// What the files of a configuration say, as one TOML document, to be shown to whoever may see the
// endpoints. Immutable once loaded.
#pragma once

#include <toml++/toml.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ua {

struct ConfigDocument {
  toml::table table;
};
using ConfigDocumentPtr = std::shared_ptr<const ConfigDocument>;

/// Tables of the same name become one, lists of tables one after another. What is wrong with the
/// documents does not matter here.
ConfigDocumentPtr united(const std::vector<toml::table>& documents);

/// @param document is replaced, not changed: others may have it; null becomes one
/// @param values one for a text, several for a list
void set_in_document(ConfigDocumentPtr& document, std::string_view table, std::string_view key,
                     const std::vector<std::string>& values);

/// Puts back what stands under a key in another document, or stands nowhere.
/// @param path "web.listen_address"
void keep_in_document(ConfigDocumentPtr& document, const ConfigDocumentPtr& from,
                      std::string_view path);

/// TOML. Hashes of passwords, bodies and texts that are sent, headers that look like credentials
/// and, in URLs, user, password and query are "<secret>" or cut.
/// @param document null: nothing is configured
std::string show_document(const ConfigDocumentPtr& document);

}  // namespace ua
