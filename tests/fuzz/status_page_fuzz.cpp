// SPDX-License-Identifier: Apache-2.0
// The status page of hostile upstreams, read back by a strict reader of the little HTML it has.
#include "agent/web/status_page.h"

#include <algorithm>
#include <array>
#include <vector>

#include "agent/diagnosis/first_check.h"
#include "collectors/core/text.h"
#include "tests/fuzz/outcomes.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr WallTime kNow{std::chrono::hours(24 * 365 * 56)};

constexpr std::array kElements{
    "html"sv,     "head"sv,    "meta"sv,  "title"sv,   "style"sv,   "body"sv,   "header"sv,
    "h1"sv,       "p"sv,       "span"sv,  "a"sv,       "dl"sv,      "div"sv,    "dt"sv,
    "dd"sv,       "main"sv,    "h2"sv,    "code"sv,    "article"sv, "pre"sv,    "!doctype"sv,
    "script"sv,   "section"sv, "aside"sv, "h3"sv,      "nav"sv,     "footer"sv, "meter"sv,
    "noscript"sv, "table"sv,   "tr"sv,    "th"sv,      "button"sv,  "td"sv,     "svg"sv,
    "rect"sv,     "path"sv,    "time"sv,  "details"sv, "input"sv,   "summary"sv};
constexpr std::array kAttributes{"lang"sv,
                                 "charset"sv,
                                 "name"sv,
                                 "content"sv,
                                 "class"sv,
                                 "id"sv,
                                 "href"sv,
                                 "role"sv,
                                 "aria-label"sv,
                                 "aria-hidden"sv,
                                 "nonce"sv,
                                 "type"sv,
                                 "http-equiv"sv,
                                 "viewBox"sv,
                                 "aria-labelledby"sv,
                                 "data-find"sv,
                                 "data-now"sv,
                                 "data-standing"sv,
                                 "tabindex"sv,
                                 "datetime"sv,
                                 "title"sv,
                                 "scope"sv,
                                 "preserveAspectRatio"sv,
                                 "x"sv,
                                 "width"sv,
                                 "height"sv,
                                 "d"sv,
                                 "max"sv,
                                 "low"sv,
                                 "high"sv,
                                 "optimum"sv,
                                 "value"sv,
                                 "autocomplete"sv,
                                 "placeholder"sv};
constexpr std::array kVoid{"meta"sv, "!doctype"sv, "input"sv};
constexpr std::array<std::string_view, 5> kEntities{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

template <std::size_t size>
bool is_one_of(std::string_view word, const std::array<std::string_view, size>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class HtmlReader {
 public:
  explicit HtmlReader(std::string_view page) : rest_(page) {}

  /// The text without its markup.
  std::string read() {
    while (!rest_.empty()) {
      if (rest_[0] == '<') {
        tag();
      } else if (rest_[0] == '&') {
        entity();
      } else {
        expect(rest_[0] != '>', "markup is escaped");
        text_ += rest_[0];
        rest_.remove_prefix(1);
      }
    }
    expect(open_.empty() || open_.back() == "html", "what is opened is closed");
    return text_;
  }

 private:
  void tag() {
    const std::size_t end = rest_.find('>');
    expect(end != std::string_view::npos, "a tag is closed");
    std::string_view inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const bool closing = inside.starts_with('/');
    if (closing) inside.remove_prefix(1);
    const std::string_view element = inside.substr(0, inside.find(' '));
    expect(is_one_of(element, kElements), "an element is one of ours");
    inside.remove_prefix(element.size());
    if (closing) {
      expect(inside.empty() && !open_.empty() && open_.back() == element, "elements nest");
      open_.pop_back();
      return;
    }
    const bool whole = inside.ends_with('/');
    if (whole) inside.remove_suffix(1);
    if (element != "!doctype") attributes(inside);
    if (element == "style" || element == "script") skip_to_end_of(element);
    if (!whole && !is_one_of(element, kVoid)) open_.emplace_back(element);
  }

  void skip_to_end_of(std::string_view element) {
    const std::size_t end = rest_.find("</" + std::string(element) + '>');
    expect(end != std::string_view::npos, "style and script are closed");
    rest_.remove_prefix(end);
  }

  static void attributes(std::string_view inside) {
    while (!inside.empty()) {
      expect(inside[0] == ' ', "a blank stands before an attribute");
      inside.remove_prefix(1);
      if (inside == "hidden" || inside.starts_with("hidden ")) {
        inside.remove_prefix(6);
        continue;
      }
      const std::size_t equals = inside.find("=\"");
      expect(equals != std::string_view::npos, "an attribute has a value in quotes");
      expect(is_one_of(inside.substr(0, equals), kAttributes), "an attribute is one of ours");
      const std::size_t end = inside.find('"', equals + 2);
      expect(end != std::string_view::npos, "an attribute's value ends");
      inside.remove_prefix(end + 1);
    }
  }

  void entity() {
    const auto* const found =
        std::find_if(kEntities.begin(), kEntities.end(),
                     [this](std::string_view entity) { return rest_.starts_with(entity); });
    expect(found != kEntities.end(), "an entity is a known one");
    constexpr std::string_view kMeanings = "&<>\"'";
    text_ += kMeanings[static_cast<std::size_t>(found - kEntities.begin())];
    rest_.remove_prefix(found->size());
  }

  std::string_view rest_;
  std::string text_;
  std::vector<std::string> open_;
};

TargetStatus make_status(Input& input) {
  TargetStatus status;
  const Target target = make_target(input);
  status.upstream = input.text();
  status.target = target.label;
  status.address = input.text();
  status.interval = 15s;
  status.verdict = static_cast<Verdict>(input.below(3));
  status.local_trouble = static_cast<LocalTrouble>(input.below(kLocalTroubleCount + 1));
  if (!input.coin()) return status;
  status.last = make_outcome(input);
  status.last_run = kNow - std::chrono::seconds(input.byte());
  if (input.coin()) status.state_change = kNow - std::chrono::seconds(input.word() >> 32U);
  const auto history = std::make_shared<TargetHistory>();
  for (std::size_t i = input.below(4); i > 0; --i) {
    history->record(Time{} + 1min * input.byte(),
                    static_cast<TargetHistory::Result>(input.below(3)), 1ms * input.byte());
  }
  status.history = history;
  if (!status.last->success()) {
    status.first_check = fill_command(info(status.last->error), target, input.text());
  }
  return status;
}

}  // namespace

void status_page(std::string_view bytes) {
  Input input(bytes);
  StatusData data;
  data.now = kNow;
  data.history_until = Time{} + 255min;
  data.configuration = input.text();
  for (std::size_t i = input.below(4); i > 0; --i) {
    data.targets.push_back(std::make_shared<const TargetStatus>(make_status(input)));
  }
  for (std::size_t i = input.below(3); i > 0; --i) data.notes.emplace_back(input.text());
  const std::string page = render_status_page(data, "n0nce");
  for (const std::string_view line : split(page, '\n')) {
    expect(is_printable_line(line), "a page is printable");
  }
  const std::string shown = HtmlReader(page).read();
  expect(shown.find(escape_line(data.configuration)) != std::string::npos,
         "a page shows the text that it was given");
  for (const auto& status : data.targets) {
    expect(shown.find(escape_line(status->target)) != std::string::npos,
           "a page shows the text that it was given");
  }
}

}  // namespace ua::fuzz
