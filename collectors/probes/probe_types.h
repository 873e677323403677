// SPDX-License-Identifier: Apache-2.0
// The one explicit list of protocols. A new one: a .h/.cpp pair, a row here, a test, a row in the
// documentation.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "collectors/probes/target.h"

namespace ua {

class Probe;
class ProbeEngine;
class TableReader;

/// Makes the probe of one run; options are captured when the configuration is read.
using ProbeMaker = std::function<std::unique_ptr<Probe>(ProbeEngine& engine, const Target& target)>;

struct ProbeType {
  std::string_view name;  ///< value of the `type` label of upstream_info
  std::span<const std::string_view> schemes;
  std::span<const std::string_view> tables;  ///< which tables of [[upstream]] apply, e.g. "http"
  ProbeMaker (*read)(TableReader& upstream);
};

std::span<const ProbeType> probe_types();
const ProbeType* find_probe_type(std::string_view scheme);  ///< null: no such scheme
std::string known_schemes();  ///< "http://, https://, ...", for messages

}  // namespace ua
