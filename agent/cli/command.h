// SPDX-License-Identifier: Apache-2.0
// The subcommands, a file each. Each reads its own arguments, writes to the two streams and returns
// the exit status of the process. Main thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace ua {

inline constexpr int kExitFailure = 1;  ///< a target is down, or the agent could not go on
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnavailable = 69;    ///< EX_UNAVAILABLE: no agent answers
inline constexpr int kExitConfiguration = 78;  ///< EX_CONFIG of sysexits.h

using Arguments = std::vector<std::string>;  ///< what follows the subcommand's name

int run_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int check_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int probe_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int status_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int completion_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int explain_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int hash_password_command(const Arguments& arguments, std::ostream& out, std::ostream& err);

/// The flags of `run`, as its help shows them.
std::string run_flags_help();

}  // namespace ua
