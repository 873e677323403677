// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "collectors/core/secret_file.h"
#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/target.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 3> kAddressModes{"any", "first", "all"};
constexpr std::array<std::string_view, 3> kIpProtocols{"any", "4", "6"};
constexpr std::int64_t kRegexMemory = 8 << 20;
constexpr std::size_t kMaxCaFile = 16 << 20;

std::optional<int> status_code(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 100 || value > 999) return std::nullopt;
  return value;
}

/// "204", "200-299" or "2xx".
std::optional<std::pair<int, int>> status_range(std::string_view text) {
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '1' && text[0] <= '5') {
    const int first = (text[0] - '0') * 100;
    return std::pair(first, first + 99);
  }
  const std::size_t dash = text.find('-');
  const auto low = status_code(trim(text.substr(0, dash)));
  const auto high = dash == std::string_view::npos ? low : status_code(trim(text.substr(dash + 1)));
  if (!low || !high || *low > *high) return std::nullopt;
  return std::pair(*low, *high);
}

std::optional<std::pair<int, int>> status_range(const toml::node& item) {
  if (const auto code = item.value_exact<std::int64_t>())
    return status_range(std::to_string(*code));
  if (const auto text = item.value_exact<std::string>()) return status_range(*text);
  return std::nullopt;
}

void read_status(TableReader& table, StatusSet& set) {
  const toml::node* node = table.node("expect_status");
  if (node == nullptr) return;
  std::vector<std::pair<int, int>> ranges;
  const auto take = [&](const toml::node& item) {
    if (const auto range = status_range(item)) {
      ranges.push_back(*range);
    } else {
      table.complain_item("expect_status", item,
                          "write codes such as 204, ranges such as \"200-299\" or classes such as "
                          "\"2xx\"");
    }
  };
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& item : *list) take(item);
    if (list->empty()) {
      table.complain("expect_status", "the list is empty: nothing would be accepted");
    }
  } else {
    take(*node);
  }
  if (!ranges.empty()) set.ranges = std::move(ranges);
}

std::shared_ptr<const re2::RE2> read_regex(TableReader& table, std::string_view key) {
  const auto pattern = table.text(key);
  if (!pattern) return nullptr;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bodies are bytes, not always UTF-8
  auto regex = std::make_shared<const re2::RE2>(*pattern, options);
  if (regex->ok()) return regex;
  table.complain(key, "not a regular expression (RE2): " + escape_line(regex->error(), 200));
  return nullptr;
}

std::string read_secret(TableReader& table, std::string_view key) {
  const auto path = table.text(key);
  if (!path) return {};
  Result<std::string> secret = read_secret_file(*path);
  if (secret) return *secret;
  table.complain(key, escape_line(secret.error().message));
  return {};
}

bool is_token(std::string_view text) {
  constexpr std::string_view kSpecial = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSpecial.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

void read_basic_auth(TableReader& http, HttpOptions& options) {
  auto table = http.table("basic_auth");
  if (!table) return;
  const auto user = table->text("username");
  const std::string password = read_secret(*table, "password_file");
  if (!user) table->complain("username", "is missing");
  if (user && user->find(':') != std::string::npos) {
    table->complain("username", "must not hold a colon (RFC 7617)");
  }
  if (!table->has("password_file")) table->complain("password_file", "is missing");
  if (user && !is_field_value(*user)) table->complain("username", "has control characters");
  if (user) options.basic_auth = *user + ':' + password;
  table->finish();
}

/// Empty where there is none.
std::string header_mistake(const std::string& key, const std::string& value) {
  const std::string shown = '\'' + escape_line(key, 60) + '\'';
  if (!is_token(key)) return shown + " is no name of a header";
  if (!is_field_value(value)) return "the value of " + shown + " has control characters";
  if (iequals(key, "host")) return "set 'host' of this table instead of a Host header";
  const bool own = iequals(key, "content-length") || iequals(key, "transfer-encoding") ||
                   iequals(key, "connection");
  return own ? shown + " is set by the probe itself" : "";
}

void read_headers(TableReader& http, HttpOptions& options) {
  for (TableReader::Pair& pair : http.text_pairs("headers")) {
    const std::string mistake = header_mistake(pair.key, pair.value);
    if (mistake.empty()) {
      options.headers.emplace_back(std::move(pair.key), std::move(pair.value));
    } else {
      http.complain_item("headers", *pair.node, mistake);
    }
  }
}

/// Names of methods are told apart by case (RFC 9110 section 9.1); the common ones are upper case.
bool is_common_method_in_lower_case(const std::string& method) {
  static constexpr std::array<std::string_view, 8> kCommon{"GET",    "HEAD",    "POST",  "PUT",
                                                           "DELETE", "OPTIONS", "PATCH", "TRACE"};
  return std::any_of(kCommon.begin(), kCommon.end(), [&](std::string_view common) {
    return common != method && iequals(common, method);
  });
}

void read_method(TableReader& http, HttpOptions& options) {
  const auto method = http.text("method");
  if (!method) return;
  if (!is_token(*method)) {
    http.complain("method", "'" + escape_line(*method, 60) + "' is no HTTP method");
  } else if (is_common_method_in_lower_case(*method)) {
    http.complain("method", "'" + *method + "' is not upper case, as servers expect it");
  } else {
    options.method = *method;
  }
}

void read_host(TableReader& http, HttpOptions& options) {
  const auto host = http.text("host");
  if (!host) return;
  // The characters of a target's host, its brackets and its port.
  const bool plain = !host->empty() && std::all_of(host->begin(), host->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
  if (plain) {
    options.host = *host;
  } else {
    http.complain("host", "write a host name, with a port where it is not the usual one");
  }
}

void read_max_body(TableReader& http, HttpOptions& options, const ProbeLimits& limits) {
  options.max_body = limits.max_body;
  const auto size = http.size("max_body", 1, 1ULL << 30U);
  if (!size) return;
  if (*size > limits.max_body) {
    http.complain("max_body", std::to_string(*size) + " bytes is more than limits.max_body, " +
                                  std::to_string(limits.max_body));
  } else {
    options.max_body = *size;
  }
}

/// A whole block with something that decodes as base64 between its marks. What is in it, libcurl's
/// TLS library says.
bool has_pem_certificate(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n \t";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return false;
  text.remove_prefix(begin + kBegin.size());
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return false;
  const std::string_view body = trim(text.substr(0, end));
  return body.starts_with("MI") && body.find_first_not_of(kBase64) == std::string_view::npos;
}

}  // namespace

bool StatusSet::contains(int status) const {
  return std::any_of(ranges.begin(), ranges.end(), [status](const auto& range) {
    return status >= range.first && status <= range.second;
  });
}

RunOptions read_run_options(TableReader& upstream, const RunOptions& defaults) {
  RunOptions result = defaults;
  result.timeout = upstream.duration("timeout", 1ms, 10min).value_or(defaults.timeout);
  if (const auto mode = upstream.choice("addresses", kAddressModes)) {
    result.addresses = static_cast<AddressMode>(*mode);
  }
  if (const auto protocol = upstream.choice("ip_protocol", kIpProtocols)) {
    result.ip_protocol = static_cast<IpProtocol>(*protocol);
  }
  if (const auto slow = upstream.duration("slow_threshold", 1ms, 10min)) {
    result.slow_threshold = slow;
  }
  return result;
}

HttpOptions read_http_options(TableReader& upstream, const ProbeLimits& limits) {
  HttpOptions result;
  result.max_body = limits.max_body;
  auto table = upstream.table("http");
  if (!table) return result;
  read_method(*table, result);
  read_host(*table, result);
  read_headers(*table, result);
  read_status(*table, result.expect_status);
  result.expect_body = read_regex(*table, "expect_body");
  if (result.expect_body && result.method == "HEAD") {
    table->complain("expect_body", "the answer to a HEAD request has no body");
  }
  result.follow_redirects = table->boolean("follow_redirects").value_or(false);
  read_basic_auth(*table, result);
  result.bearer_token = read_secret(*table, "bearer_token_file");
  if (table->has("basic_auth") && table->has("bearer_token_file")) {
    table->complain("bearer_token_file", "basic_auth is set too; a request has one of them");
  }
  read_max_body(*table, result, limits);
  for (const std::string_view key :
       {"body", "version", "proxy_url", "expect_header", "reject_body"}) {
    table->not_yet(key);
  }
  table->finish();
  return result;
}

TlsOptions read_tls_options(TableReader& upstream) {
  TlsOptions result;
  auto table = upstream.table("tls");
  if (!table) return result;
  if (const auto file = table->text("ca_file")) {
    const Result<std::string> content = read_regular_file(*file, kMaxCaFile);
    if (!content) {
      table->complain("ca_file", escape_line(content.error().message));
    } else if (!has_pem_certificate(*content)) {
      table->complain("ca_file", escape_line(*file) + " holds no PEM certificate");
    }
    result.ca_file = *file;
  }
  if (const auto name = table->text("server_name")) {
    const Result<Target> as_host = parse_target("https://" + *name);
    if (as_host && as_host->host == *name) {
      result.server_name = *name;
    } else {
      table->complain("server_name", "write a host name alone, as in app.example");
    }
  }
  result.insecure_skip_verify = table->boolean("insecure_skip_verify").value_or(false);
  for (const std::string_view key : {"cert_file", "key_file", "min_version"}) table->not_yet(key);
  table->finish();
  return result;
}

}  // namespace ua
