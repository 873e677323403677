// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/flags.h"
#include "agent/web/bcrypt.h"
#include "collectors/core/result.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr std::size_t kMostRead = 4096;
constexpr int kTerminal = STDIN_FILENO;

/// Does nothing but end a read.
void on_signal(int /*number*/) {}

/// A terminal that shows nothing of what is typed, as long as this lives, also where a signal ends
/// the program meanwhile.
class Quiet {
 public:
  Quiet() {
    tcgetattr(kTerminal, &before_);
    struct sigaction wake {};
    wake.sa_handler = &on_signal;
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int signal : kSignals) sigaddset(&blocked, signal);
    pthread_sigmask(SIG_BLOCK, &blocked, &mask_);
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &wake, &handlers_[i]);
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(kTerminal, TCSAFLUSH, &quiet);
  }
  ~Quiet() {
    tcsetattr(kTerminal, TCSAFLUSH, &before_);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &handlers_[i], nullptr);
    }
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  /// A signal comes here and nowhere else: before a read it would be lost.
  Result<void> wait() const {
    pollfd terminal{kTerminal, POLLIN, 0};
    if (::ppoll(&terminal, 1, nullptr, &mask_) >= 0) return {};
    return fail(errno == EINTR ? "interrupted" : "standard input: " + errno_text(errno));
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  static constexpr std::array<int, 4> kSignals{SIGINT, SIGTERM, SIGQUIT, SIGHUP};
  termios before_{};
  sigset_t mask_{};
  std::array<struct sigaction, kSignals.size()> handlers_{};
};

/// @param terminal where one line is enough, since its end does not come by itself; null: a file
Result<std::string> read_input(const Quiet* terminal) {
  std::string result;
  std::array<char, 512> buffer{};
  while (result.size() <= kMostRead) {
    if (terminal != nullptr) {
      if (const Result<void> ready = terminal->wait(); !ready) return tl::unexpected(ready.error());
    }
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail("standard input: " + errno_text(errno));
    result.append(buffer.data(), static_cast<std::size_t>(size));
    if (size == 0 || (terminal != nullptr && result.ends_with('\n'))) break;
  }
  explicit_bzero(buffer.data(), buffer.size());
  return result;
}

/// @param input all there was
Result<std::string> password_of(std::string input) {
  if (input.ends_with('\n')) input.pop_back();
  if (input.ends_with('\r')) input.pop_back();
  if (input.empty()) return fail("the password is empty");
  if (input.find('\n') != std::string::npos) return fail("the password is one line, not several");
  if (input.find('\0') != std::string::npos) return fail("the password holds a zero byte");
  if (input.size() > kMostPasswordBytes) {
    return fail("the password is longer than the 72 bytes that bcrypt takes into account");
  }
  return input;
}

Result<std::string> ask(std::string_view prompt, std::ostream& err) {
  const Quiet quiet;
  err << prompt << std::flush;
  Result<std::string> line = read_input(&quiet);
  err << std::endl;  // the typed one was not shown
  if (!line) return line;
  return password_of(std::move(*line));
}

Result<std::string> ask_twice(std::ostream& err) {
  Result<std::string> first = ask("Password: ", err);
  if (!first) return first;
  Result<std::string> second = ask("The same again: ", err);
  if (!second) return second;
  if (*first != *second) return fail("these are two different passwords");
  return first;
}

Result<std::string> password_from_input(std::ostream& err) {
  if (isatty(kTerminal) != 0) return ask_twice(err);
  Result<std::string> input = read_input(nullptr);
  if (!input) return input;
  return password_of(std::move(*input));
}

}  // namespace

int hash_password_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app("Makes the hash of a password for [web.basic_auth_users].",
               "upstream-agent hash-password");
  app.footer(
      "The password is asked for at the terminal, or is the one line of standard input.\n\n"
      "Examples:\n  upstream-agent hash-password\n  upstream-agent hash-password < password-file");
  unsigned cost = kBcryptCost;
  app.add_option("--cost", cost, "Each step doubles what a guess takes, and a first login")
      ->check(CLI::Range(kLeastBcryptCost, kMostBcryptCost))
      ->capture_default_str();
  // Not left to the parser, which would repeat what may be a password.
  app.allow_extras();
  if (const auto status = parse_flags(app, arguments, out, err)) return *status;
  if (app.remaining_size() != 0) {
    err << app.get_name()
        << ": takes no argument: every user of this machine can read command lines\n"
           "Try 'upstream-agent hash-password --help'.\n";
    return kExitUsage;
  }
  Result<std::string> password = password_from_input(err);
  if (!password) {
    err << app.get_name() << ": " << password.error().message << '\n';
    return kExitFailure;
  }
  const Result<std::string> hash = bcrypt_hash(*password, cost);
  explicit_bzero(password->data(), password->size());
  if (!hash) {
    err << app.get_name() << ": " << hash.error().message << '\n';
    return kExitFailure;
  }
  out << *hash << '\n';
  return 0;
}

}  // namespace ua
