// SPDX-License-Identifier: Apache-2.0
// Turns any bytes into what both exposition formats accept as a name, a label value or a help text.
// Pure functions. A byte that is not valid UTF-8 and a control character become U+FFFD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ua {

/// [a-zA-Z_:][a-zA-Z0-9_:]*; other bytes become "_".
std::string metric_name(std::string_view bytes);
/// [a-zA-Z_][a-zA-Z0-9_]*, without the two leading underscores that Prometheus keeps to itself.
std::string label_name(std::string_view bytes);

/// Appends the text of a label value: backslash, newline and double quote escaped.
void append_label_value(std::string& out, std::string_view bytes);
/// Appends a HELP text. OpenMetrics escapes the double quote too, text 0.0.4 must not.
void append_help(std::string& out, std::string_view bytes, bool escape_quotes);

/// At most `max_bytes`, cut between code points.
std::string_view cut_utf8(std::string_view bytes, std::size_t max_bytes);

/// Text of `le` and `quantile`: "0.005", "1.0", "1e+06", "+Inf". The same in both formats, so that
/// series keep their identity whichever format a scrape uses; Prometheus 3 writes them so too.
std::string bound_text(double bound);

/// Builds `a="x",b="y"`. A name is taken once: a later label of the same name is refused.
class LabelBlock {
 public:
  bool add(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::string> names_;
};

}  // namespace ua
