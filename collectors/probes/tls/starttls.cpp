// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/starttls.h"

#include <algorithm>
#include <array>
#include <utility>

#include "collectors/core/text.h"

namespace ua {
namespace {

using enum ErrorClass;

// RFC 5321 section 4.1.4 wants a name; this one says who it is and is nobody's (RFC 2606).
constexpr std::string_view kEhlo = "EHLO upstream-agent.invalid";
constexpr int kBusy = 421;  // RFC 5321, RFC 959: not available, closing

std::uint8_t octet(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

bool has_prefix(std::string_view text, std::string_view prefix) {
  return iequals(text.substr(0, prefix.size()), prefix);
}

/// Of "250-STARTTLS" and "250 STARTTLS"; -1: none.
int code_of(std::string_view line) {
  if (line.size() < 3) return -1;
  int code = 0;
  for (const char digit : line.substr(0, 3)) {
    if (digit < '0' || digit > '9') return -1;
    code = code * 10 + (digit - '0');
  }
  const bool whole = line.size() == 3 || line[3] == ' ' || line[3] == '-';
  return whole ? code : -1;
}

bool has_word(std::string_view line, std::string_view word) {
  const auto words = split(line, ' ');
  return std::any_of(words.begin(), words.end(),
                     [word](std::string_view each) { return iequals(trim(each), word); });
}

std::string code_token(int code) { return "code_" + std::to_string(code); }

}  // namespace

std::string_view name(Starttls protocol) {
  static constexpr std::array<std::string_view, 7> kNames{"none", "smtp",     "imap", "pop3",
                                                          "ftp",  "postgres", "mysql"};
  return kNames[static_cast<std::size_t>(protocol)];
}

std::string starttls_token(Starttls protocol) { return "starttls_" + std::string(name(protocol)); }

std::string_view starttls_of(std::string_view detail) {
  constexpr std::string_view kMark = "starttls_";
  const std::size_t at = detail.find(kMark);
  if (at == std::string_view::npos) return {};
  detail.remove_prefix(at + kMark.size());
  return detail.substr(0, detail.find(','));
}

StarttlsDialogue::StarttlsDialogue(Starttls protocol) : protocol_(protocol) {
  if (protocol == Starttls::postgres) {
    step_ = Step::command;
    outgoing_ = std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8);  // SSLRequest
  }
}

std::string StarttlsDialogue::take_outgoing() { return std::exchange(outgoing_, {}); }

std::string StarttlsDialogue::step_token() const {
  static constexpr std::array<std::string_view, 3> kSteps{"greeting", "capabilities", "command"};
  return std::string(kSteps[static_cast<std::size_t>(step_)]);
}

StarttlsDialogue::State StarttlsDialogue::take(std::string_view bytes) {
  if (state_ == State::failed || bytes.empty()) return state_;
  if (state_ == State::ready) {
    extra_bytes(bytes);
    return state_;
  }
  // One more than allowed tells that there were too many.
  bytes = bytes.substr(0, kMaxBytes + 1 - total_);
  total_ += bytes.size();
  buffer_ += bytes;
  if (protocol_ == Starttls::postgres) {
    take_postgres();
  } else if (protocol_ == Starttls::mysql) {
    take_mysql();
  } else {
    take_lines();
  }
  if (state_ == State::going && total_ > kMaxBytes) {
    fail(invalid_response, step_token() + ",over_8KiB", "");
    failure_.message = "more than 8 KiB came before TLS";
  }
  return state_;
}

/// Whoever can put bytes after a reply could put words into the server's mouth (CVE-2011-0411).
void StarttlsDialogue::extra_bytes(std::string_view bytes) {
  outgoing_.clear();
  fail(protocol_mismatch, step_token() + ",extra_bytes", bytes);
  failure_.message =
      "more came than the reply, before TLS: an injection, or a broken server; " + failure_.message;
}

void StarttlsDialogue::take_lines() {
  const bool first = step_ == Step::greeting && code_ == 0;
  if (first && !may_begin(buffer_)) return fail_as_other_protocol(buffer_);
  std::size_t begin = 0;
  while (state_ == State::going) {
    const std::size_t end = buffer_.find('\n', begin);
    if (end == std::string::npos) break;
    std::string_view line = std::string_view(buffer_).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    const bool over = take_line(line);
    const bool asked_for = protocol_ == Starttls::imap && state_ == State::going;
    if (over && begin < buffer_.size() && state_ != State::failed && !asked_for) {
      extra_bytes(std::string_view(buffer_).substr(begin));
    }
  }
  buffer_.erase(0, begin);
}

/// @return whether a reply ended with it
bool StarttlsDialogue::take_line(std::string_view line) {
  const Step before = step_;
  switch (protocol_) {
    case Starttls::pop3:
      take_pop3(line);
      break;
    case Starttls::imap:
      take_imap(line);
      break;
    default:
      take_coded(line);
      break;
  }
  return step_ != before || state_ != State::going;
}

/// Whether these first bytes can be a greeting's.
bool StarttlsDialogue::may_begin(std::string_view bytes) const {
  const auto fits = [bytes](std::string_view greeting) {
    const std::size_t size = std::min(bytes.size(), greeting.size());
    return bytes.substr(0, size) == greeting.substr(0, size);
  };
  if (protocol_ == Starttls::pop3) return fits("+OK") || fits("-ERR");
  if (protocol_ == Starttls::imap) return fits("* ");
  const std::string_view digits = bytes.substr(0, 3);
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void StarttlsDialogue::say(Step step, std::string_view line) {
  step_ = step;
  outgoing_ = std::string(line) + "\r\n";
}

void StarttlsDialogue::fail(ErrorClass error, const std::string& detail, std::string_view said) {
  state_ = State::failed;
  failure_.error = error;
  failure_.detail = starttls_token(protocol_) + ',' + detail;
  if (!said.empty()) failure_.message = "the server said: " + escape_line(said, kMaxSaid);
}

void StarttlsDialogue::fail_as_other_protocol(std::string_view said) {
  const std::string line(said.substr(0, said.find('\n')));
  fail(protocol_mismatch, "not_" + std::string(name(protocol_)), trim(line));
}

void StarttlsDialogue::not_offered(std::string_view said) {
  fail(protocol_mismatch, "not_offered", said);
  failure_.message = "the server offers no TLS on this port" +
                     (failure_.message.empty() ? "" : "; " + failure_.message);
}

/// "421 too many connections from 192.0.2.1" is about this client, "421 busy" is not.
void StarttlsDialogue::busy(std::string_view said) {
  const std::string text = to_lower(said);
  const std::size_t many = text.find("too many");
  const bool ours = many != std::string::npos && text.find(" from ", many) != std::string::npos;
  refuse(ours ? rate_limited : pool_exhausted, "busy", said);
}

void StarttlsDialogue::refuse(ErrorClass error, std::string_view how, std::string_view said) {
  fail(error, step_token() + ',' + std::string(how), said);
}

/// SMTP and FTP. Within a reply of several lines FTP has lines of any text.
void StarttlsDialogue::take_coded(std::string_view line) {
  const int code = code_of(line);
  const bool text = protocol_ == Starttls::ftp && code_ != 0 && code != code_;
  if (text) return;
  if (code < 0 || (code_ != 0 && code != code_)) {
    if (step_ == Step::greeting && code_ == 0) return fail_as_other_protocol(line);
    return refuse(invalid_response, "reply", line);
  }
  if (step_ == Step::capabilities &&
      has_prefix(line.substr(std::min<std::size_t>(4, line.size())), "STARTTLS")) {
    offered_ = true;
  }
  const bool goes_on = line.size() > 3 && line[3] == '-';
  code_ = goes_on ? code : 0;
  if (!goes_on) on_code(code, line);
}

void StarttlsDialogue::on_code(int code, std::string_view line) {
  if (code == kBusy) return busy(line);
  if (step_ == Step::greeting && code != 220) {
    return refuse(content_mismatch, code_token(code), line);
  }
  if (protocol_ == Starttls::smtp) return on_smtp(code, line);
  on_ftp(code, line);
}

void StarttlsDialogue::on_smtp(int code, std::string_view line) {
  if (step_ == Step::greeting) return say(Step::capabilities, kEhlo);
  if (step_ == Step::command) {
    if (code == 220) return be_ready();
    return refuse(tls_handshake_failed, code_token(code), line);
  }
  if (code == 250 && offered_) return say(Step::command, "STARTTLS");
  // Who knows no EHLO has no extensions.
  if (code == 250 || code == 500 || code == 502) return not_offered(code == 250 ? "" : line);
  refuse(content_mismatch, code_token(code), line);
}

void StarttlsDialogue::on_ftp(int code, std::string_view line) {
  if (step_ == Step::greeting) return say(Step::command, "AUTH TLS");
  if (code == 234) return be_ready();
  // 530 is "log in first": such a server has no TLS either.
  if (code == 500 || code == 502 || code == 504 || code == 530) return not_offered(line);
  refuse(tls_handshake_failed, code_token(code), line);
}

void StarttlsDialogue::take_pop3_capability(std::string_view line) {
  offered_ = offered_ || has_word(line.substr(0, line.find(' ')), "STLS");
  if (line != ".") return;
  listing_ = false;
  return offered_ ? say(Step::command, "STLS") : not_offered("");
}

void StarttlsDialogue::take_pop3(std::string_view line) {
  if (listing_) return take_pop3_capability(line);
  const bool ok = has_prefix(line, "+OK");
  if (!ok && !has_prefix(line, "-ERR")) {
    if (step_ == Step::greeting) return fail_as_other_protocol(line);
    return refuse(invalid_response, "reply", line);
  }
  if (step_ == Step::greeting) {
    return ok ? say(Step::capabilities, "CAPA") : refuse(content_mismatch, "err", line);
  }
  if (step_ == Step::capabilities) {  // older than RFC 2449: asking for TLS itself will tell
    listing_ = ok;
    asked_ = ok;
    if (!ok) say(Step::command, "STLS");
    return;
  }
  if (ok) return be_ready();
  return asked_ ? refuse(tls_handshake_failed, "err", line) : not_offered(line);
}

void StarttlsDialogue::take_imap(std::string_view line) {
  if (has_prefix(line, "* BYE")) return busy(line);
  if (step_ == Step::greeting) {
    if (has_prefix(line, "* OK")) return say(Step::capabilities, "a1 CAPABILITY");
    // Logged in already: STARTTLS is no longer possible (RFC 9051 section 7.1.4).
    if (has_prefix(line, "* PREAUTH")) return not_offered(line);
    return fail_as_other_protocol(line);
  }
  if (has_prefix(line, "* CAPABILITY")) offered_ = offered_ || has_word(line, "STARTTLS");
  if (line.starts_with("* ")) return;
  const std::string_view tag = step_ == Step::capabilities ? "a1 " : "a2 ";
  if (!line.starts_with(tag)) return refuse(invalid_response, "reply", line);
  on_imap_end(line);
}

void StarttlsDialogue::on_imap_end(std::string_view line) {
  const std::string_view status = line.substr(3);
  const bool ok = has_prefix(status, "OK");
  if (!ok && !has_prefix(status, "NO") && !has_prefix(status, "BAD")) {
    return refuse(invalid_response, "reply", line);
  }
  if (step_ == Step::capabilities) {
    return ok && offered_ ? say(Step::command, "a2 STARTTLS") : not_offered(ok ? "" : line);
  }
  if (ok) return be_ready();
  refuse(tls_handshake_failed, has_prefix(status, "NO") ? "no" : "bad", line);
}

/// One byte answers; an error is a message as of the protocol, or a text (protocol-flow.html of
/// PostgreSQL's manual). More after 'S' would be taken for the server's own (CVE-2021-23222).
void StarttlsDialogue::take_postgres() {
  const char answer = buffer_[0];
  if (answer == 'N') return not_offered("");
  if (answer == 'E') return refuse(content_mismatch, "error", buffer_.substr(1));
  if (answer != 'S') return fail_as_other_protocol(buffer_);
  if (buffer_.size() == 1) return be_ready();
  if (buffer_.starts_with("SSH-")) return fail_as_other_protocol(buffer_);
  extra_bytes(std::string_view(buffer_).substr(1));
}

void StarttlsDialogue::take_mysql() {
  constexpr std::size_t kHeader = 4;  // a length in three bytes, a sequence number
  if (buffer_.size() < kHeader) return;
  const std::size_t size =
      octet(buffer_, 0) + octet(buffer_, 1) * 256U + octet(buffer_, 2) * 65536U;
  if (size == 0 || size > kMaxBytes || buffer_[3] != 0) return fail_as_other_protocol(buffer_);
  if (buffer_.size() < kHeader + size) return;
  const std::string packet = std::exchange(buffer_, {});
  on_mysql_greeting(std::string_view(packet).substr(kHeader, size));
  // With the greeting, the last word before TLS is the client's.
  if (state_ == State::ready && packet.size() > kHeader + size) {
    extra_bytes(std::string_view(packet).substr(kHeader + size));
  }
}

void StarttlsDialogue::on_mysql_greeting(std::string_view payload) {
  constexpr std::size_t kToCapabilities = 1 + 4 + 8 + 1;  // thread, random bytes, filler
  constexpr unsigned kSsl = 0x0800;
  if (octet(payload, 0) == 0xff) return on_mysql_error(payload);
  const std::size_t version_end = payload.find('\0');
  if (octet(payload, 0) != 10 || version_end == std::string_view::npos) {
    return fail_as_other_protocol(payload);
  }
  const std::size_t at = version_end + kToCapabilities;
  if (payload.size() < at + 2) return fail_as_other_protocol(payload);
  const unsigned capabilities = octet(payload, at) + octet(payload, at + 1) * 256U;
  if ((capabilities & kSsl) == 0) return not_offered("");
  // SSLRequest: PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH; 16 MiB; utf8.
  outgoing_ = std::string("\x20\0\0\x01\0\x8a\x08\0\0\0\0\x01\x21", 13) + std::string(23, '\0');
  be_ready();
}

void StarttlsDialogue::on_mysql_error(std::string_view payload) {
  if (payload.size() < 3) return fail_as_other_protocol(payload);
  const unsigned code = octet(payload, 1) + octet(payload, 2) * 256U;
  ErrorClass error = content_mismatch;
  if (code == 1040 || code == 1203) error = pool_exhausted;  // too many connections
  if (code == 1129) error = rate_limited;                    // too many failed ones from this host
  refuse(error, "code_" + std::to_string(code), payload.substr(3));
}

StarttlsDialogue::Failure StarttlsDialogue::ended(Stream::End end) const {
  const bool reset = end == Stream::End::reset;
  return {reset ? reset_before_headers : closed_before_headers,
          starttls_token(protocol_) + ',' + step_token() + (reset ? ",rst" : ",fin"),
          "the connection was " + std::string(reset ? "reset" : "closed") + " before TLS" +
              (buffer_.empty() ? "" : "; the server said: " + escape_line(buffer_, kMaxSaid))};
}

StarttlsDialogue::Failure StarttlsDialogue::timed_out() const {
  const bool part = !buffer_.empty() || code_ != 0 || listing_;
  return {response_timeout,
          starttls_token(protocol_) + ',' + step_token() + (part ? ",partial" : ""),
          part ? "the reply did not end in time"
               : "no answer in the dialogue before TLS; a port that begins with TLS waits, too"};
}

}  // namespace ua
