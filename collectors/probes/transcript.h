// SPDX-License-Identifier: Apache-2.0
// What one probe did and said, line by line with its time, for a person to read. Secrets are hidden
// and foreign bytes escaped as they come in. Owned by whoever reads it; loop thread.
#pragma once

#include <string>
#include <string_view>

#include "collectors/core/time.h"

namespace ua {

class Transcript {
 public:
  /// Of a message, beyond which lines are left out; so are those after as many.
  static constexpr std::size_t kMaxLine = 500;
  static constexpr std::size_t kMaxLines = 1000;

  explicit Transcript(Time start) : start_(start) {}

  /// What the prober does or finds: "* connected to 10.0.0.5:80".
  void note(Time now, std::string_view text) { add(now, '*', text); }
  /// Request line and headers as they went out: "> GET /health HTTP/1.1".
  void sent_head(Time now, std::string_view head);
  /// A status line or header as it came in: "< HTTP/1.1 200 OK".
  void received_head(Time now, std::string_view head) { add_head(now, '<', head); }
  /// Sent bytes may be passwords: only how many there were.
  void sent_bytes(Time now, std::size_t size);
  /// The beginning is shown.
  void received_bytes(Time now, std::string_view bytes);

  /// Whole lines; empty where nothing happened.
  const std::string& text() const { return text_; }

 private:
  void add(Time now, char mark, std::string_view line);
  void add_head(Time now, char mark, std::string_view head);

  Time start_;
  std::size_t lines_ = 0;
  std::string text_;
  std::string sent_;  // the beginning of a line whose end is not sent yet: it may be a secret's
};

struct Resolved;
/// "app.test has 10.0.0.5, 10.0.0.6", or why it has none. Pure.
std::string resolution_text(std::string_view host, const Resolved& resolved);

/// A request line or header without what must not be read: the value of a header that holds
/// credentials by its name, and queries. Pure.
std::string hide_secrets(std::string_view head_line);

}  // namespace ua
