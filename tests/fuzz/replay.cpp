// SPDX-License-Identifier: Apache-2.0
// Every fuzz target on its seeds and on some thousand inputs made of them, without libFuzzer.
#include <cstdio>
#include <string>

#include "tests/catch.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutator.h"

/// Of the address sanitizer; null in a build without. NOLINTNEXTLINE: its name is not ours.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace ua::fuzz {
namespace {

std::string g_input;  // NOLINT(readability-identifier-naming): what a crash is to be blamed on

void show_input() { std::fprintf(stderr, "the input was \"%s\"\n", show(g_input).c_str()); }

void run(void (*target)(std::string_view), std::string input) {
  g_input = std::move(input);
  try {
    target(g_input);
  } catch (const std::exception& error) {
    FAIL(error.what() << "\nthe input was \"" << show(g_input) << '"');
  }
}

void replay(const std::string& name, void (*target)(std::string_view), int mutations = 10'000) {
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(&show_input);
  const std::string here = UA_SOURCE_DIR "/tests/fuzz/";
  auto seeds = read_seeds(here + "seeds/" + name);
  run(target, "");
  int inputs = 1;
  for (const std::string& seed : seeds) {
    run(target, seed);
    ++inputs;
  }
  Mutator mutator(name, std::move(seeds), read_dictionary(here + "dictionaries/" + name + ".dict"));
  for (int i = 0; i < mutations; ++i) {
    run(target, mutator.next());
    ++inputs;
  }
  CHECK(inputs > mutations);
}

TEST_CASE("fuzz: who may have which page") { replay("access", access); }
TEST_CASE("fuzz: a password in a header") { replay("authorization", authorization); }
TEST_CASE("fuzz: what a certificate says") { replay("certificate", certificate); }
TEST_CASE("fuzz: from evidence to a class") { replay("classify", classify); }
TEST_CASE("fuzz: explain and probe") { replay("command_line", command_line, 3000); }
TEST_CASE("fuzz: configuration files") { replay("config", config); }
TEST_CASE("fuzz: a name server's answer") { replay("dns_message", dns_message); }
TEST_CASE("fuzz: metric pages") { replay("exposition", exposition); }
TEST_CASE("fuzz: figures of the host") { replay("host_proc", host_proc); }
TEST_CASE("fuzz: a FastCGI answer") { replay("fastcgi", fastcgi); }
TEST_CASE("fuzz: a server before TLS") { replay("starttls", starttls); }
TEST_CASE("fuzz: an HTTP answer") { replay("http_answer", http_answer); }
TEST_CASE("fuzz: log lines") { replay("log_line", log_line); }
TEST_CASE("fuzz: Accept headers") { replay("negotiate", negotiate); }
TEST_CASE("fuzz: nginx's configuration") { replay("nginx", nginx); }
TEST_CASE("fuzz: the series of probes") { replay("probe_series", probe_series, 500); }
TEST_CASE("fuzz: redirects") { replay("redirect", redirect); }
TEST_CASE("fuzz: probe reports") { replay("report", report); }
TEST_CASE("fuzz: sock_diag messages") { replay("sock_diag", sock_diag); }
TEST_CASE("fuzz: the status page") { replay("status_page", status_page); }
TEST_CASE("fuzz: targets and listen addresses") { replay("target", target); }
TEST_CASE("fuzz: tables of sockets and routes") { replay("tcp_tables", tcp_tables); }
TEST_CASE("fuzz: untrusted text") { replay("text", text); }
TEST_CASE("fuzz: an answer to a TLS handshake") { replay("tls_answer", tls_answer, 3000); }
TEST_CASE("fuzz: requests to the agent") { replay("web_request", web_request); }

}  // namespace
}  // namespace ua::fuzz
