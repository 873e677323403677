// SPDX-License-Identifier: Apache-2.0
// Hashes of passwords, as exporter-toolkit, htpasswd -B and others write them. Any thread; each
// call but is_bcrypt_hash() takes as long as its cost says: 2^cost rounds, 50 ms at 10.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/core/result.h"

namespace ua {

inline constexpr unsigned kLeastBcryptCost = 4;
inline constexpr unsigned kMostBcryptCost = 14;
inline constexpr unsigned kBcryptCost = 10;  ///< of a new hash
/// What bcrypt takes into account of a password.
inline constexpr std::size_t kMostPasswordBytes = 72;

/// The cost of a hash that looks as it should: "$2y$10$" ($2a, $2b) and 53 characters; nullopt
/// otherwise.
std::optional<unsigned> bcrypt_cost(std::string_view hash);

/// Whether the hash is of this password. The comparison takes the same time wherever they differ.
/// A password with a zero byte, which the C library would read to that byte alone, has no hash.
bool bcrypt_matches(std::string_view password, const std::string& hash);

/// @param password without a zero byte
Result<std::string> bcrypt_hash(const std::string& password, unsigned cost);

/// Takes as long as a comparison with a hash of that cost, and matches nothing.
void bcrypt_pretend(std::string_view password, unsigned cost);

}  // namespace ua
