// SPDX-License-Identifier: Apache-2.0
// What is pasted into `explain` and `probe`: error messages, log lines, half a URL.
#include <sstream>
#include <vector>

#include "agent/cli/command.h"
#include "agent/cli/probe_jobs.h"
#include "collectors/core/error_class.h"
#include "collectors/core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules.h"
#include "tests/fuzz/unicode.h"

namespace ua::fuzz {
namespace {

void check_output(const std::string& output) {
  for (const std::string_view line : split(output, '\n')) {
    expect(is_printable_line(line), "what is printed is printable");
  }
}

void check_explain(const std::string& word) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = explain_command({"--", word}, out, err);
  check_output(out.str());
  check_output(err.str());
  const bool known = error_class_from_name(word).has_value();
  expect(status == (known ? 0 : kExitUsage), "explain knows the classes and nothing else");
  expect(out.str().empty() != known, "an explanation goes to standard output");
  expect(err.str().empty() == known, "a complaint goes to standard error");
}

void check_flags(const std::vector<std::string>& words) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = explain_command(words, out, err);
  check_output(out.str());
  check_output(err.str());
  expect(status == 0 || status == kExitUsage, "explain succeeds or complains");
  expect((status == 0) == err.str().empty(), "a complaint comes with its status");
}

void check_probe(const std::string& word) {
  UpstreamConfig known;
  known.name = "checkout";
  const auto jobs = jobs_for(word, {known});
  if (jobs) {
    for (const ProbeJob& job : *jobs) check_target(job.target.target);
    return;
  }
  expect(is_printable_line(jobs.error().message), "a message is a printable line");
  expect(jobs.error().message.size() < 2000, "a message is short");
}

}  // namespace

void command_line(std::string_view bytes) {
  const std::string word(bytes);
  if (word.find('\0') != std::string::npos) return;  // no argument can hold it
  check_explain(word);
  check_probe(word);
  std::vector<std::string> words;
  for (const std::string_view part : split(bytes, '\n')) words.emplace_back(part);
  check_flags(words);
}

}  // namespace ua::fuzz
