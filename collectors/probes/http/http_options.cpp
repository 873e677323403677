// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/http/http_options.h"

#include <algorithm>
#include <array>

#include "collectors/core/secret_file.h"
#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::array<std::string_view, 5> kVersions{"auto", "1.0", "1.1", "2", "2-prior"};

/// What others call them.
struct Spelling {
  std::string_view other;
  std::string_view ours;
};
constexpr std::array<Spelling, 7> kOtherVersions{{{"2.0", "2"},
                                                  {"h2", "2"},
                                                  {"h2c", "2-prior"},
                                                  {"http/2", "2"},
                                                  {"http/2.0", "2"},
                                                  {"http/1.0", "1.0"},
                                                  {"http/1.1", "1.1"}}};

std::string read_secret(TableReader& table, std::string_view key) {
  const auto path = table.text(key);
  if (!path) return {};
  Result<std::string> secret = read_secret_file(*path);
  if (secret) return *secret;
  table.complain(key, escape_line(secret.error().message));
  return {};
}

/// "user:password" of a table { username, password_file }; empty where there is none.
std::string read_credentials(TableReader& http, std::string_view key) {
  auto table = http.table(key);
  if (!table) return {};
  const auto user = table->text("username");
  const std::string password = read_secret(*table, "password_file");
  if (!user) table->complain("username", "is missing");
  if (user && user->find(':') != std::string::npos) {
    table->complain("username", "must not hold a colon (RFC 7617)");
  }
  if (!table->has("password_file")) table->complain("password_file", "is missing");
  if (user && !is_field_value(*user)) table->complain("username", "has control characters");
  table->finish();
  return user ? *user + ':' + password : "";
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
  } else if (*method == "CONNECT") {
    http.complain("method", "CONNECT opens a tunnel through a proxy: set proxy_url for that");
  } else {
    options.method = *method;
  }
}

/// What servers take a body with: all methods but these (RFC 9110 sections 9.3.2 and 9.3.8).
void read_body(TableReader& http, HttpOptions& options) {
  const auto body = http.text("body");
  if (!body) return;
  if (options.method == "HEAD" || options.method == "TRACE") {
    http.complain("body", "a " + options.method + " request has no body");
  } else {
    options.body = *body;
  }
}

void read_host(TableReader& http, HttpOptions& options) {
  const auto host = http.text("host");
  if (!host) return;
  // As the host and port of a target; nothing after it, no credentials before it and no zone.
  const bool alone = host->find_first_of("/?#@%") == std::string::npos;
  if (alone && parse_target("http://" + *host)) {
    options.host = *host;
  } else {
    http.complain("host", "write a host name, with a port where it is not the usual one");
  }
}

void read_token(TableReader& http, HttpOptions& options) {
  options.bearer_token = read_secret(http, "bearer_token_file");
  if (!is_field_value(options.bearer_token)) {
    http.complain("bearer_token_file", "the token has control characters");
  }
  const bool token = http.has("bearer_token_file");
  if (token && http.has("basic_auth")) {
    http.complain("bearer_token_file", "basic_auth is set too; a request has one of them");
  }
  const bool header =
      std::any_of(options.headers.begin(), options.headers.end(),
                  [](const auto& pair) { return iequals(pair.first, "authorization"); });
  if (header && (token || http.has("basic_auth"))) {
    http.complain("headers", std::string("'Authorization' is set by ") +
                                 (token ? "bearer_token_file" : "basic_auth"));
  }
}

void read_version(TableReader& http, HttpOptions& options) {
  const auto written = http.text("version");
  if (!written) return;
  for (const auto& [other, ours] : kOtherVersions) {
    if (!iequals(other, *written)) continue;
    return http.complain("version", '\'' + *written + "' is written \"" + std::string(ours) + '"');
  }
  if (const auto version = http.choice("version", kVersions)) {
    options.version = static_cast<HttpVersion>(*version);
  }
}

/// What is wrong with a proxy's URL; empty: nothing.
std::string proxy_mistake(std::string_view text, const Result<Target>& url) {
  constexpr std::string_view kAdvice = "write a proxy's URL, as in http://proxy.example:3128";
  if (text.find('@') != std::string_view::npos) {
    return std::string(kAdvice) +
           "; credentials belong into http.proxy_basic_auth, with a password file";
  }
  if (text.find("://") == std::string_view::npos) return std::string(kAdvice);
  if (!url) return std::string(kAdvice) + ": " + url.error().message;
  if (url->scheme != "http") return std::string(kAdvice) + "; it is spoken to in plain HTTP alone";
  if (url->path != "/") return std::string(kAdvice) + ", without a path";
  return "";
}

void read_proxy(TableReader& http, HttpOptions& options) {
  std::string basic_auth = read_credentials(http, "proxy_basic_auth");
  if (http.has("proxy_basic_auth") && !http.has("proxy_url")) {
    http.complain("proxy_basic_auth", "there is no proxy_url");
  }
  const auto text = http.text("proxy_url");
  if (!text) return;
  const Result<Target> url = parse_target(*text);
  if (const std::string mistake = proxy_mistake(*text, url); !mistake.empty()) {
    return http.complain("proxy_url", mistake);
  }
  options.proxy = std::make_shared<const HttpProxy>(HttpProxy{*url, std::move(basic_auth)});
}

/// The answer to a HEAD request has no body.
void check_body_patterns(TableReader& http, const HttpOptions& options) {
  if (options.method != "HEAD") return;
  for (const std::string_view key : {"expect_body", "reject_body"}) {
    if (http.has(key)) http.complain(key, "the answer to a HEAD request has no body");
  }
}

}  // namespace

HttpOptions read_http_options(TableReader& upstream, const ProbeLimits& limits) {
  HttpOptions result;
  result.max_body = limits.max_body;
  auto table = upstream.table("http");
  if (!table) return result;
  read_method(*table, result);
  read_host(*table, result);
  read_headers(*table, result);
  read_body(*table, result);
  result.expect_status = read_expect_status(*table);
  result.patterns = read_patterns(*table);
  check_body_patterns(*table, result);
  result.follow_redirects = table->boolean("follow_redirects").value_or(false);
  result.basic_auth = read_credentials(*table, "basic_auth");
  read_token(*table, result);
  read_version(*table, result);
  result.max_body = read_max_body(*table, limits);
  read_proxy(*table, result);
  table->finish();
  return result;
}

}  // namespace ua
