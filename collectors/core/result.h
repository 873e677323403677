// SPDX-License-Identifier: Apache-2.0
// Result<T> for an operation whose caller must choose what to do about a failure. The other three
// error styles: a failed check is an Outcome, a configuration mistake a Diagnostic, broken start-up
// throws.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace ua {

/// What went wrong, in words for an operator, and the errno where a system call said so (else 0).
struct Error {
  std::string message;
  int code = 0;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string message, int code = 0) {
  return tl::unexpected<Error>(Error{std::move(message), code});
}

}  // namespace ua
