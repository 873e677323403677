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

constexpr WallTime kNow{std::chrono::hours(24 * 365 * 56)};

constexpr std::array<std::string_view, 23> kElements{
    "html",    "head", "meta", "title", "style", "body", "header",  "h1",
    "p",       "span", "a",    "dl",    "div",   "dt",   "dd",      "main",
    "article", "h2",   "code", "b",     "pre",   "i",    "!doctype"};
constexpr std::array<std::string_view, 10> kAttributes{
    "lang", "charset", "name",       "content",     "class",
    "href", "style",   "aria-label", "aria-hidden", "http-equiv"};
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
    if (element != "!doctype") attributes(inside);
    if (element == "style") skip_style();
    if (element != "meta" && element != "!doctype") open_.emplace_back(element);
  }

  void skip_style() {
    const std::size_t end = rest_.find("</style>");
    expect(end != std::string_view::npos, "the style is closed");
    rest_.remove_prefix(end);
  }

  static void attributes(std::string_view inside) {
    while (!inside.empty()) {
      expect(inside[0] == ' ', "a blank stands before an attribute");
      inside.remove_prefix(1);
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
  if (!status.last->success()) {
    status.first_check = fill_command(info(status.last->error), target, input.text());
  }
  return status;
}

}  // namespace

void status_page(std::string_view bytes) {
  Input input(bytes);
  StatusPageData data;
  data.now = kNow;
  data.configuration = input.text();
  for (std::size_t i = input.below(4); i > 0; --i) {
    data.targets.push_back(std::make_shared<const TargetStatus>(make_status(input)));
  }
  for (std::size_t i = input.below(3); i > 0; --i) data.notes.emplace_back(input.text());
  const std::string page = render_status_page(data);
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
