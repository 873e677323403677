// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "collectors/core/error_class.h"
#include "tests/catch.h"
#include "tests/generated.h"

namespace ua {
namespace {

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string code(std::string_view text) { return '`' + std::string(text) + '`'; }

std::string table() {
  std::string result = "| code | class | phase | retry | what was seen |\n|---|---|---|---|---|\n";
  for (const ErrorClassInfo& row : catalogue()) {
    result += "| " + std::to_string(row.code()) + " | [" + code(row.name) + "](#" +
              std::string(row.name) + ") | " + std::string(name(row.phase)) + " | " +
              std::string(name(row.retry)) + " | " + cell(row.meaning) + " |\n";
  }
  return result;
}

std::string sections() {
  std::string result;
  for (const ErrorClassInfo& row : catalogue()) {
    result += "### " + std::string(row.name) + "\n\n";
    result += "- What was seen: " + std::string(row.meaning) + ".\n";
    result += "- Likely cause: " + std::string(row.likely_cause) + '\n';
    result += "- First place to check: " + std::string(row.first_check) + ".\n\n";
    result += "```\n" + std::string(row.command) + "\n```\n\n";
  }
  return result;
}

TEST_CASE("the page of the error classes is up to date", "[generated]") {
  test::check_generated("error-classes.md", "table", table());
  test::check_generated("error-classes.md", "classes", sections());
}

}  // namespace
}  // namespace ua
