// SPDX-License-Identifier: Apache-2.0
// A strict reader of both exposition formats, which knows nothing of our writer. It takes what the
// formats' grammars require of a page as a whole and nothing more.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/exposition/format.h"

namespace ua::fuzz {

struct PageSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
  bool operator==(const PageSample&) const = default;
};

struct PageFamily {
  std::string name;
  std::string type;
  std::string help;
  std::vector<PageSample> samples;
};

/// Throws Broken where the page is not valid.
std::vector<PageFamily> read_page(std::string_view page, ExpositionFormat format);

/// Without HELP, TYPE and the end.
std::size_t bytes_of_series(std::string_view page);

}  // namespace ua::fuzz
