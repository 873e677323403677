// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <ostream>

#include "agent/cli/cli.h"
#include "collectors/core/error_class.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

nlohmann::ordered_json to_json(const ErrorClassInfo& row) {
  return {{"name", row.name},
          {"code", row.code()},
          {"phase", name(row.phase)},
          {"retry", name(row.retry)},
          {"meaning", row.meaning},
          {"likely_cause", row.likely_cause},
          {"first_check", row.first_check},
          {"command", row.command}};
}

void print(const ErrorClassInfo& row, std::ostream& out) {
  out << row.name << " (code " << row.code() << ", phase " << name(row.phase) << ")\n"
      << "  what was seen  " << row.meaning << '\n'
      << "  likely cause   " << row.likely_cause << '\n'
      << "  first check    " << row.first_check << '\n'
      << "  command        " << row.command << '\n'
      << "  retry          " << name(row.retry) << '\n';
}

int unknown_class(const std::string& text, std::ostream& err) {
  std::vector<std::string_view> names;
  for (const ErrorClassInfo& row : catalogue()) names.push_back(row.name);
  err << "upstream-agent: '" << escape_line(text, 100) << "' is no error class";
  if (const auto close = nearest(text, names)) err << "; did you mean " << *close << '?';
  err << "\n'upstream-agent explain --all' lists them. Pasted messages and log lines are not "
         "understood by this version.\n";
  return kExitUsage;
}

}  // namespace

int run_explain(const ExplainArguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<const ErrorClassInfo*> rows;
  for (const std::string& text : arguments.classes) {
    const auto found = error_class_from_name(text);
    if (!found) return unknown_class(text, err);
    rows.push_back(&info(*found));
  }
  if (arguments.all) {
    rows.clear();
    for (const ErrorClassInfo& row : catalogue()) rows.push_back(&row);
  }
  if (rows.empty()) {
    err << "upstream-agent: name an error class, or --all\n";
    return kExitUsage;
  }
  if (arguments.json) {
    auto list = nlohmann::ordered_json::array();
    for (const ErrorClassInfo* row : rows) list.push_back(to_json(*row));
    out << list.dump(2) << '\n';
    return 0;
  }
  for (const ErrorClassInfo* row : rows) print(*row, out);
  return 0;
}

}  // namespace ua
