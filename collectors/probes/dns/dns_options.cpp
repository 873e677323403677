// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/dns/dns_options.h"

#include <algorithm>
#include <array>

#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/target.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 2> kTransports{"udp", "tcp"};
constexpr std::size_t kMaxPatterns = 16;

std::vector<std::string_view> names_of(std::span<const DnsWord> words) {
  std::vector<std::string_view> names;
  names.reserve(words.size());
  for (const DnsWord& word : words) names.push_back(word.name);
  return names;
}

std::string shown(std::string_view text) { return '\'' + escape_line(text, 100) + '\''; }

/// The texts that are regular expressions; each mistake is reported.
std::vector<std::string> good_patterns(TableReader& table, std::string_view key,
                                       const std::optional<std::vector<TableReader::Item>>& items) {
  std::vector<std::string> good;
  if (!items) return good;
  if (items->size() > kMaxPatterns) table.complain(key, "has more than 16 patterns");
  for (const TableReader::Item& item : *items) {
    const Result<Regex> regex = compile_regex(item.text);
    if (regex) {
      good.push_back(item.text);
    } else {
      table.complain_item(key, *item.node, regex.error().message);
    }
  }
  return good;
}

void read_answers(TableReader& table, AnswerPatterns& patterns) {
  for (const std::string& text :
       good_patterns(table, "expect_answers", table.texts("expect_answers"))) {
    patterns.expect_header.emplace_back("answer", *compile_regex(text));
  }
  std::string any;
  for (const std::string& text :
       good_patterns(table, "reject_answers", table.texts("reject_answers"))) {
    any += (any.empty() ? "(?:" : "|(?:") + text + ')';
  }
  if (any.empty()) return;
  const Result<Regex> joined = compile_regex("(?m:" + any + ')');
  if (!joined) table.complain("reject_answers", joined.error().message);
  patterns.reject_body = joined.value_or(nullptr);
}

struct Written {
  std::string name;
  std::string type;
  std::string transport;
};

/// @param path "/name?type=A&transport=udp"
Result<Written> parts_of(std::string_view path) {
  Written result;
  const std::size_t mark = path.find('?');
  result.name = path.substr(0, mark).substr(path.empty() ? 0 : 1);
  if (mark == std::string_view::npos) return result;
  for (const std::string_view pair : split(path.substr(mark + 1), '&')) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view key = pair.substr(0, equals);
    if (key != "type" && key != "transport") {
      return fail("its query has " + shown(key) + "; there are type and transport");
    }
    std::string& value = key == "type" ? result.type : result.transport;
    if (!value.empty()) return fail("its query has " + std::string(key) + " twice");
    value = pair.substr(std::min(equals + 1, pair.size()));
    if (value.empty()) return fail("its query has " + std::string(key) + " without a value");
  }
  return result;
}

/// Sets what the URL says; both may say it, but not two things.
Result<void> apply_name(const std::string& written, const DnsOptions& options, DnsTask& task) {
  const auto bare = [](std::string_view name) {
    return to_lower(name.size() > 1 && name.ends_with('.') ? name.substr(0, name.size() - 1)
                                                           : name);
  };
  const bool both = !written.empty() && !options.query.empty();
  if (both && bare(written) != bare(options.query)) {
    return fail("it asks for " + shown(written) + ", but dns.query for " + shown(options.query));
  }
  task.question.name = written.empty() ? options.query : written;
  if (task.question.name.empty()) {
    return fail("the name to ask for is missing: dns://server/example.org, or dns.query");
  }
  const std::string mistake = dns_name_mistake(task.question.name);
  if (!mistake.empty()) return fail("the name " + shown(task.question.name) + ' ' + mistake);
  return {};
}

Result<void> apply_type(const std::string& written, const DnsOptions& options, DnsTask& task) {
  task.question.type = options.type.value_or(1);
  if (written.empty()) return {};
  const auto types = dns_types();
  const auto known = std::find_if(types.begin(), types.end(),
                                  [&](const DnsWord& word) { return iequals(word.name, written); });
  if (known == types.end()) {
    return fail("its query has type=" + escape_line(written, 60) + ", which is no type known here");
  }
  task.question.type = known->number;
  if (options.type && *options.type != known->number) {
    return fail("it has type=" + std::string(known->name) + ", but dns.type is \"" +
                dns_type_name(*options.type) + '"');
  }
  return {};
}

Result<void> apply_transport(const std::string& written, const DnsOptions& options, DnsTask& task) {
  task.transport = options.transport.value_or(DnsTransport::udp);
  if (written.empty()) return {};
  if (written == "tls") return fail("transport=tls is not supported by this version");
  const auto known = std::find(kTransports.begin(), kTransports.end(), written);
  if (known == kTransports.end()) {
    return fail("its query has transport=" + escape_line(written, 60) + "; there are udp and tcp");
  }
  task.transport = static_cast<DnsTransport>(known - kTransports.begin());
  if (options.transport && *options.transport != task.transport) {
    return fail("it has transport=" + written + ", but dns.transport is another");
  }
  return {};
}

}  // namespace

DnsOptions read_dns_options(TableReader& upstream) {
  DnsOptions result;
  auto table = upstream.table("dns");
  if (!table) return result;
  if (const auto query = table->text("query")) {
    const std::string mistake = dns_name_mistake(*query);
    if (mistake.empty()) result.query = *query;
    if (!mistake.empty()) table->complain("query", shown(*query) + ' ' + mistake);
  }
  const auto types = names_of(dns_types());
  if (const auto type = table->choice("type", types)) result.type = dns_types()[*type].number;
  const toml::node* transport = table->node("transport");
  if (transport != nullptr && transport->value<std::string>() == "tls") {
    table->complain("transport", "\"tls\" is not supported by this version");
  } else if (const auto word = table->choice("transport", kTransports)) {
    result.transport = static_cast<DnsTransport>(*word);
  }
  result.recursion_desired = table->boolean("recursion_desired").value_or(true);
  const auto rcodes = names_of(dns_rcodes());
  if (const auto words = table->choices("expect_rcode", rcodes); words && !words->empty()) {
    result.expect_rcode.clear();
    for (const std::size_t word : *words) {
      result.expect_rcode.push_back(dns_rcodes()[word].number);
    }
  }
  read_answers(*table, result.patterns);
  table->finish();
  return result;
}

Result<DnsTask> dns_task(const Target& target, const DnsOptions& options) {
  const Result<Written> written = parts_of(target.path);
  if (!written) return tl::unexpected(written.error());
  DnsTask task;
  task.question.recursion_desired = options.recursion_desired;
  Result<void> good = apply_name(written->name, options, task);
  if (good) good = apply_type(written->type, options, task);
  if (good) good = apply_transport(written->transport, options, task);
  if (!good) return tl::unexpected(good.error());
  return task;
}

bool dns_over_stream(std::string_view path, std::string_view transport) {
  const Result<Written> written = parts_of(path);
  if (!written) return false;
  return (written->transport.empty() ? transport : written->transport) == "tcp";
}

}  // namespace ua
