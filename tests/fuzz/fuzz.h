// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share. A target is one function of bytes that states what must hold of the
// code under test, whatever the bytes; libFuzzer drives it (the fuzz preset), and so does
// replay.cpp in the ordinary build.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ua::fuzz {

/// A property that does not hold for the input at hand.
struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

/// @param property what must hold, in words
inline void expect(bool holds, const char* property) {
  if (!holds) throw Broken(property);
}

/// The same for two texts, shown where they differ.
void expect_same(std::string_view found, std::string_view wanted, const char* property);

/// Printable and unambiguous, for messages: other bytes as \xHH.
std::string show(std::string_view bytes);

/// Makes values out of the input's bytes. At their end it goes on with zeros.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto result = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return result;
  }
  std::uint64_t word() {
    std::uint64_t result = 0;
    for (int i = 0; i < 8; ++i) result = (result << 8U) | byte();
    return result;
  }
  /// From 0 to limit - 1, which is at most 255.
  std::size_t below(std::size_t limit) { return byte() % limit; }
  bool coin() { return (byte() & 1U) != 0; }
  /// A length in one byte, then so many.
  std::string_view text() { return take(byte()); }
  /// Up to the next newline, which is dropped.
  std::string_view line() {
    const std::string_view result = take(std::min(bytes_.find('\n'), bytes_.size()));
    take(1);
    return result;
  }
  std::string_view rest() { return take(bytes_.size()); }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view result = bytes_.substr(0, size);
    bytes_.remove_prefix(result.size());
    return result;
  }

  std::string_view bytes_;
};

// The targets, a file each. Each throws Broken.
void access(std::string_view bytes);
void authorization(std::string_view bytes);
void certificate(std::string_view bytes);
void classify(std::string_view bytes);
void command_line(std::string_view bytes);
void config(std::string_view bytes);
void dns_message(std::string_view bytes);
void exposition(std::string_view bytes);
void host_proc(std::string_view bytes);
void fastcgi(std::string_view bytes);
void http_answer(std::string_view bytes);
void log_line(std::string_view bytes);
void negotiate(std::string_view bytes);
void nginx(std::string_view bytes);
void probe_series(std::string_view bytes);
void redirect(std::string_view bytes);
void report(std::string_view bytes);
void sock_diag(std::string_view bytes);
void starttls(std::string_view bytes);
void status_page(std::string_view bytes);
void target(std::string_view bytes);
void tcp_tables(std::string_view bytes);
void text(std::string_view bytes);
void tls_answer(std::string_view bytes);
void web_request(std::string_view bytes);

}  // namespace ua::fuzz
