// SPDX-License-Identifier: Apache-2.0
// Parts of the documentation that are made from the code. A document holds a part between the lines
// `<!-- generated: NAME -->` and `<!-- end of NAME -->`; the rest is written by hand.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "tests/catch.h"

namespace ua::test {

inline std::string read_whole(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What is between the two lines.
inline std::string generated_part(const std::string& document, const std::string& part) {
  const std::string begin = "<!-- generated: " + part + " -->\n";
  const std::string end = "<!-- end of " + part + " -->\n";
  const std::size_t from = document.find(begin);
  const std::size_t to = document.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    throw std::runtime_error("no generated part '" + part + "' in the document");
  }
  return document.substr(from + begin.size(), to - from - begin.size());
}

/// Fails where the document is stale. With UA_REGENERATE in the environment it is brought up to
/// date.
/// @param document under packaging/doc
inline void check_generated(const std::string& document, const std::string& part,
                            const std::string& wanted) {
  const std::string path = std::string(UA_SOURCE_DIR) + "/packaging/doc/" + document;
  std::string text = read_whole(path);
  const std::string found = generated_part(text, part);
  if (found != wanted && std::getenv("UA_REGENERATE") != nullptr) {
    const std::string begin = "<!-- generated: " + part + " -->\n";
    text.replace(text.find(begin) + begin.size(), found.size(), wanted);
    std::ofstream(path) << text;
    return;
  }
  INFO("stale; bring it up to date: UA_REGENERATE=1 build/dev/tests/unit_tests '[generated]'");
  CHECK(found == wanted);
}

}  // namespace ua::test
