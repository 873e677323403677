// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

#include "agent/cli/flags.h"
#include "collectors/core/error_class.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const ErrorClassInfo& row) {
  return {{"name", row.name},
          {"code", row.code()},
          {"phase", name(row.phase)},
          {"retry", name(row.retry)},
          {"meaning", row.meaning},
          {"likely_cause", row.likely_cause},
          {"first_check", row.first_check},
          {"command", row.command}};
}

std::string_view in_words(Retry retry) {
  switch (retry) {
    case Retry::any:
      return "safe on another server: the request was not processed";
    case Retry::idempotent:
      return "once, and only what may safely be done twice (GET, PUT, DELETE)";
    case Retry::no:
      return "no: it would fail again, or be done twice";
    case Retry::never:
      return "never: the server asked for less";
  }
  return {};
}

void print_one(const ErrorClassInfo& row, std::ostream& out) {
  out << row.name << " (code " << row.code() << ", phase " << name(row.phase) << ")\n"
      << "  what was seen  " << row.meaning << '\n'
      << "  likely cause   " << row.likely_cause << '\n'
      << "  first check    " << row.first_check << '\n'
      << "  command        " << row.command << '\n'
      << "  retry          " << in_words(row.retry) << '\n';
}

void print_table(std::ostream& out) {
  const auto line = [&out](const auto& code, std::string_view error_class, std::string_view phase,
                           std::string_view retry, std::string_view meaning) {
    out << std::right << std::setw(4) << code << "  " << std::left << std::setw(26) << error_class
        << std::setw(17) << phase << std::setw(11) << retry << meaning << '\n';
  };
  line("CODE", "CLASS", "PHASE", "RETRY", "WHAT WAS SEEN");
  for (const ErrorClassInfo& row : catalogue()) {
    line(row.code(), row.name, name(row.phase), name(row.retry), row.meaning);
  }
}

void print_all(bool json, std::ostream& out) {
  if (!json) return print_table(out);
  auto list = ordered_json::array();
  for (const ErrorClassInfo& row : catalogue()) list.push_back(to_json(row));
  out << list.dump(2) << '\n';
}

int complain(const std::string& text, std::ostream& err) {
  err << "upstream-agent explain: ";
  if (text.find_first_of(" \t\n") != std::string::npos) {
    err << "this version explains error classes by name, not yet messages or log lines\n";
  } else {
    std::vector<std::string_view> names;
    for (const ErrorClassInfo& row : catalogue()) names.push_back(row.name);
    err << '\'' << escape_line(text, 100) << "' is no error class";
    if (const auto close = nearest(text, names)) err << "; did you mean '" << *close << "'?";
    err << '\n';
  }
  err << "'upstream-agent explain --all' lists the classes.\n";
  return kExitUsage;
}

}  // namespace

int explain_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Says what an error class means, its likely cause and what to check first.",
               "upstream-agent explain");
  app.footer(
      "In a command, words in braces stand for the target's own: {host}, {port}, {address},\n"
      "{path}, {url} and {service}; 'upstream-agent probe' fills them in.\n\n"
      "Examples:\n  upstream-agent explain connect_refused\n  upstream-agent explain --all --json");
  std::string text;
  bool all = false;
  bool json = false;
  auto* const word = app.add_option("CLASS", text, "Name of an error class");
  app.add_flag("--all", all, "All classes, a line each")->excludes(word);
  app.add_flag("--json", json, "One JSON object, or with --all an array of them");
  if (const auto status = parse_flags(app, arguments, out, err)) return *status;

  if (all) {
    print_all(json, out);
    return 0;
  }
  if (text.empty()) {
    err << "upstream-agent explain: name an error class, or --all\n";
    return kExitUsage;
  }
  const auto error_class = error_class_from_name(text);
  if (!error_class) return complain(text, err);
  if (json) {
    out << to_json(info(*error_class)).dump(2) << '\n';
  } else {
    print_one(info(*error_class), out);
  }
  return 0;
}

}  // namespace ua
