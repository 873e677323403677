// SPDX-License-Identifier: Apache-2.0
// The one explicit list of protocols. A new one: a .h/.cpp pair, a row here, a test, a row in the
// documentation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "collectors/core/error_class.h"
#include "collectors/probes/target.h"

namespace ua {

class Probe;
class ProbeEngine;
class TableReader;
struct ProbeLimits;
struct ToolFlags;

/// Makes the probe of one run; options are captured when the configuration is read.
using ProbeMaker = std::function<std::unique_ptr<Probe>(ProbeEngine& engine, const Target& target)>;

/// What one table of options makes of a target.
struct ProbeSetup {
  ProbeMaker make;
  std::uint64_t buffer_bytes = 0;          ///< of an answer's body that one run keeps at most
  std::shared_ptr<const Target> via;       ///< RunOptions::via
  bool follows_redirects = false;          ///< perhaps to a target that other tables apply to
  std::shared_ptr<const ToolFlags> flags;  ///< null: none
  /// Why a target cannot be probed with these options; empty: it can. Null: all can.
  std::function<std::string(const Target&)> mistake;
};

inline constexpr std::size_t kCommonClasses = 8;
using CommonClasses = std::array<ErrorClass, kCommonClasses>;

/// How the targets of one URL scheme are written and reached, and what their probes find.
struct Scheme {
  std::string_view name;
  /// The commonest failures of a service that worked: it is stopped, cut off, overloaded, crashes,
  /// or says so by a status. What is wrong from the first probe on, as a name or a path, is none.
  const CommonClasses& common_classes;
  std::uint16_t default_port = 0;  ///< 0: a target states it
  bool has_path = false;
  bool tls = false;
  /// ProbeRun makes no connection: the probe, or the library under it, opens the socket.
  bool connects_itself = false;
  bool has_status = false;  ///< an answer has a status code and a body: HttpFacts
};

struct ProbeType {
  std::string_view name;  ///< value of the `type` label of upstream_info
  std::span<const Scheme> schemes;
  std::span<const std::string_view> tables;  ///< which tables of [[upstream]] apply, e.g. "http"
  ProbeSetup (*read)(TableReader& upstream, const ProbeLimits& limits);
};

std::span<const ProbeType> probe_types();
const ProbeType* find_probe_type(std::string_view scheme);  ///< null: no such scheme
const Scheme* find_scheme(std::string_view name);           ///< null: no such scheme
std::string known_schemes();  ///< "http://, https://, ...", for messages

}  // namespace ua
