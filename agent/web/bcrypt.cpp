// SPDX-License-Identifier: Apache-2.0
#include "agent/web/bcrypt.h"

#include <crypt.h>
#include <nettle/memops.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kHashSize = 60;
constexpr std::size_t kDigest = 29;  // where it begins, behind prefix, cost and salt
constexpr std::string_view kAlphabet =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Empty where the C library refuses.
std::string crypted(const std::string& password, const std::string& setting) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB
  const char* const result = crypt_r(password.c_str(), setting.c_str(), data.get());
  std::string hash = result != nullptr && result[0] == '$' ? result : "";
  explicit_bzero(data.get(), sizeof *data);
  return hash;
}

}  // namespace

std::optional<unsigned> bcrypt_cost(std::string_view hash) {
  const bool framed = hash.size() == kHashSize && hash.starts_with("$2") && hash[3] == '$' &&
                      hash[6] == '$' && is_digit(hash[4]) && is_digit(hash[5]);
  if (!framed || std::string_view("aby").find(hash[2]) == std::string_view::npos) {
    return std::nullopt;
  }
  if (hash.find_first_not_of(kAlphabet, 7) != std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>((hash[4] - '0') * 10 + (hash[5] - '0'));
}

bool bcrypt_matches(std::string_view password, const std::string& hash) {
  const bool whole = password.find('\0') == std::string_view::npos;
  const std::string found = crypted(std::string(password), hash);
  if (found.size() != kHashSize || hash.size() != kHashSize) return false;
  // The digest alone: of the salt's last character the C library clears what is not used.
  const bool same = nettle_memeql_sec(&found[kDigest], &hash[kDigest], kHashSize - kDigest) != 0;
  return same && whole;
}

Result<std::string> bcrypt_hash(const std::string& password, unsigned cost) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  const char* const made =
      crypt_gensalt_rn("$2b$", cost, nullptr, 0, setting.data(), static_cast<int>(setting.size()));
  if (made == nullptr) return fail("no salt: " + errno_text(errno), errno);
  std::string hash = crypted(password, setting.data());
  if (!bcrypt_cost(hash)) return fail("this system's C library has no bcrypt");
  return hash;
}

void bcrypt_pretend(std::string_view password, unsigned cost) {
  const std::string digits = cost < 10 ? '0' + std::to_string(cost) : std::to_string(cost);
  crypted(std::string(password), "$2b$" + digits + '$' + std::string(22, '.'));
}

}  // namespace ua
