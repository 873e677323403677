// SPDX-License-Identifier: Apache-2.0
// The dialogue in plain text that leads to TLS on a port that begins without (RFC 3207, 2595, 4217,
// 9051; PostgreSQL's SSLRequest; MySQL's SSLRequest). Pure: takes what comes in, says what goes
// out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/core/error_class.h"
#include "collectors/probes/net/stream.h"

namespace ua {

/// In the order of their words in tcp.starttls.
enum class Starttls : std::uint8_t { none, smtp, imap, pop3, ftp, postgres, mysql };

std::string_view name(Starttls protocol);
/// The token "starttls_smtp", which every failure of a probe with STARTTLS has in its detail.
std::string starttls_token(Starttls protocol);
/// "smtp" of a detail with that token; empty: there is none.
std::string_view starttls_of(std::string_view detail);

class StarttlsDialogue {
 public:
  /// All that a server may say before TLS.
  static constexpr std::size_t kMaxBytes = 8UL * 1024;
  static constexpr std::size_t kMaxSaid = 200;

  enum class State : std::uint8_t { going, ready, failed };
  struct Failure {
    ErrorClass error = ErrorClass::none;
    std::string detail;
    std::string message;  ///< with the server's own words, escaped and bounded
  };

  /// @param protocol any but `none`
  explicit StarttlsDialogue(Starttls protocol);

  /// What is to be sent next; empty: nothing.
  std::string take_outgoing();
  /// What came in. After `ready`, bytes that came before TLS are a failure still.
  State take(std::string_view bytes);
  /// The connection ended, or time is up, while it was going.
  Failure ended(Stream::End end) const;
  Failure timed_out() const;

  State state() const { return state_; }
  const Failure& failure() const { return failure_; }

 private:
  enum class Step : std::uint8_t { greeting, capabilities, command };

  std::string step_token() const;
  void take_lines();
  bool take_line(std::string_view line);
  bool may_begin(std::string_view bytes) const;
  void say(Step step, std::string_view line);
  void be_ready() { state_ = State::ready; }
  void extra_bytes(std::string_view bytes);
  void fail(ErrorClass error, const std::string& detail, std::string_view said);
  void fail_as_other_protocol(std::string_view said);
  void not_offered(std::string_view said);
  void busy(std::string_view said);
  void refuse(ErrorClass error, std::string_view how, std::string_view said);

  void take_coded(std::string_view line);
  void on_code(int code, std::string_view line);
  void on_smtp(int code, std::string_view line);
  void on_ftp(int code, std::string_view line);
  void take_pop3(std::string_view line);
  void take_pop3_capability(std::string_view line);
  void take_imap(std::string_view line);
  void on_imap_end(std::string_view line);
  void take_postgres();
  void take_mysql();
  void on_mysql_greeting(std::string_view payload);
  void on_mysql_error(std::string_view payload);

  Starttls protocol_;
  Step step_ = Step::greeting;
  State state_ = State::going;
  Failure failure_;
  std::string outgoing_;
  std::string buffer_;     // of a reply that is not complete
  std::size_t total_ = 0;  // bytes taken
  int code_ = 0;           // of a reply of several lines, while it goes on
  bool offered_ = false;
  bool listing_ = false;  // POP3: within the list of capabilities
  bool asked_ = true;     // POP3: the server knows how to list them
};

}  // namespace ua
