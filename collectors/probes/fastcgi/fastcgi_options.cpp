// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/fastcgi/fastcgi_options.h"

#include <algorithm>

#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/options.h"

namespace ua {
namespace {

constexpr std::size_t kMaxParams = 64UL * 1024;  // bytes, all together

/// Names of meta-variables (RFC 3875 section 4.1).
bool is_param_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void read_params(TableReader& table, FastcgiOptions& options) {
  std::size_t size = 0;
  for (TableReader::Pair& pair : table.text_pairs("params")) {
    const std::string shown = '\'' + escape_line(pair.key, 60) + '\'';
    size += pair.key.size() + pair.value.size();
    if (!is_param_name(pair.key)) {
      table.complain_item("params", *pair.node,
                          shown + " is no name of a parameter: letters, digits and '_'");
    } else if (pair.value.find('\0') != std::string::npos) {
      table.complain_item("params", *pair.node, "the value of " + shown + " has a NUL byte");
    } else {
      options.params.emplace_back(std::move(pair.key), std::move(pair.value));
    }
  }
  if (size > kMaxParams) table.complain("params", "are longer than 64 KiB");
}

void read_method(TableReader& table, FastcgiOptions& options) {
  const auto method = table.text("method");
  if (!method) return;
  const bool upper =
      std::none_of(method->begin(), method->end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (is_token(*method) && upper) {
    options.method = *method;
  } else {
    table.complain("method", "'" + escape_line(*method, 60) +
                                 "' is no method of HTTP in upper case, as in GET");
  }
}

void read_script(TableReader& table, FastcgiOptions& options) {
  const auto script = table.text("script_filename");
  if (!script) return;
  if (script->starts_with('/')) {
    options.script_filename = *script;
  } else {
    table.complain("script_filename", "is no absolute path, as in /var/www/app/public/index.php");
  }
}

}  // namespace

FastcgiOptions read_fastcgi_options(TableReader& upstream, const ProbeLimits& limits) {
  FastcgiOptions result;
  result.max_body = limits.max_body;
  auto table = upstream.table("fastcgi");
  if (!table) return result;
  read_method(*table, result);
  read_script(*table, result);
  read_params(*table, result);
  result.expect_status = read_expect_status(*table);
  result.patterns = read_patterns(*table);
  result.max_body = read_max_body(*table, limits);
  table->finish();
  return result;
}

}  // namespace ua
