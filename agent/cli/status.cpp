// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <ostream>

#include "agent/cli/agent_client.h"
#include "agent/cli/flags.h"
#include "agent/cli/status_table.h"
#include "agent/cli/terminal.h"
#include "agent/load.h"
#include "collectors/core/epoll_loop.h"
#include "collectors/core/secret_file.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

constexpr Duration kEvery = 2s;

struct StatusFlags {
  std::vector<std::string> names;
  std::optional<std::filesystem::path> config_file;
  std::string url;
  std::string user;
  std::string password_file;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool watch = false;
  bool json = false;
};

std::string url_problem(const std::string& url) {
  const bool known =
      url.starts_with("http://") || url.starts_with("https://") || url.starts_with("unix:/");
  if (!known) return "write http://HOST:PORT, https://HOST:PORT or unix:/PATH";
  const bool names_user = !url.starts_with("unix:") && url.find('@') != std::string::npos;
  return names_user ? "a user goes with --user and --password-file, since all see a command line"
                    : "";
}

std::optional<int> read_flags(const Arguments& arguments, StatusFlags& flags, std::ostream& out,
                              std::ostream& err) {
  CLI::App app("Asks the running agent how its upstreams are; the failing ones first.",
               "upstream-agent status");
  app.footer(
      "Without --url the agent is asked where the configuration says that it listens.\n\n"
      "Exit status: 0 none fails, 1 at least one does, 2 wrong usage, 69 no agent answers,\n"
      "78 a mistake in the configuration.\n\n"
      "Examples:\n"
      "  upstream-agent status\n"
      "  upstream-agent status --watch checkout\n"
      "  upstream-agent status --json | jq '.upstreams[].targets[].last.error_class'");
  app.add_option("NAME", flags.names, "Upstreams to show; default all");
  add_config_flag(app, flags.config_file);
  app.add_option("--url", flags.url, "Where the agent serves")
      ->type_name("URL")
      ->check(CLI::Validator(url_problem, ""));
  CLI::Option* user =
      app.add_option("--user", flags.user, "Of web.basic_auth_users")->type_name("NAME");
  CLI::Option* password =
      app.add_option("--password-file", flags.password_file, "A file with that user's password")
          ->type_name("FILE")
          ->needs(user);
  user->needs(password);
  app.add_option("--ca-file", flags.ca_file, "Who has signed the agent's certificate")
      ->type_name("FILE");
  CLI::Option* cert = app.add_option("--cert-file", flags.cert_file,
                                     "A certificate to show, where the agent wants one")
                          ->type_name("FILE");
  CLI::Option* key =
      app.add_option("--key-file", flags.key_file, "The private key that belongs to it")
          ->type_name("FILE")
          ->needs(cert);
  cert->needs(key);
  CLI::Option* watch = app.add_flag("--watch", flags.watch, "Again every 2 seconds, until Ctrl-C");
  app.add_flag("--json", flags.json, "The API's document, as it is")->excludes(watch);
  return parse_flags(app, arguments, out, err);
}

/// Empty where all that was asked for could be read into `access`.
std::string read_secrets(const StatusFlags& flags, AgentAccess& access) {
  if (!flags.password_file.empty()) {
    auto password = read_secret_file(flags.password_file);
    if (!password) return "--password-file: " + password.error().message;
    access.password = std::move(*password);
  }
  if (flags.cert_file.empty()) return "";
  auto certificate = read_client_certificate(flags.cert_file);
  if (!certificate) return "--cert-file: " + certificate.error().message;
  auto key = read_client_key(flags.key_file);
  if (!key) return "--key-file: " + key.error().message;
  access.identity = ClientPem{std::move(*certificate), std::move(*key)};
  const std::string mistake = pair_mistake(*access.identity);
  return mistake.empty() ? "" : "--key-file is not the key of --cert-file (" + mistake + ")";
}

/// @return nullopt after what is wrong was said
std::optional<AgentAccess> find_agent(const StatusFlags& flags, int& status, std::ostream& err) {
  AgentAccess access;
  if (flags.url.starts_with("unix:")) {
    access.url = "http://localhost";
    access.unix_socket = flags.url.substr(5);
  } else if (!flags.url.empty()) {
    access.url = flags.url;
    while (access.url.ends_with('/')) access.url.pop_back();
  } else {
    RunArguments arguments;
    arguments.config_file = flags.config_file;
    const auto config = configuration_of(arguments);
    if (!config) {
      for (const Diagnostic& diagnostic : config.error()) err << diagnostic.text() << '\n';
      err << "upstream-agent status: name the agent with --url to do without a configuration\n";
      status = kExitConfiguration;
      return std::nullopt;
    }
    access = access_of(config->web);
  }
  access.user = flags.user;
  access.ca_file = flags.ca_file;
  const std::string mistake = read_secrets(flags, access);
  if (mistake.empty()) return access;
  err << "upstream-agent status: " << mistake << '\n';
  status = kExitUsage;
  return std::nullopt;
}

class StatusCommand {
 public:
  StatusCommand(const StatusFlags& flags, AgentAccess access, std::ostream& out, std::ostream& err)
      : flags_(flags), access_(std::move(access)), out_(out), err_(err) {}

  int once() {
    const auto document = ask_agent(access_, "/api/v1/upstreams");
    if (!document) return complain(document.error().message, kExitUnavailable);
    const auto table = status_table(*document, options());
    if (!table) return complain(table.error().message, table.error().code);
    out_ << (flags_.json ? *document + '\n' : table->text);
    return table->failing == 0 ? 0 : kExitFailure;
  }

  /// Until the output is gone; a signal ends the process.
  void watch() {
    EpollLoop loop;
    const std::function<void()> turn = [&] {
      show_again();
      if (!out_.flush()) return loop.stop();
      timer_ = loop.after(kEvery, turn);
    };
    timer_ = loop.after(Duration::zero(), turn);
    loop.run();
  }

 private:
  StatusTableOptions options() const {
    const TerminalSize size = flags_.watch ? terminal_size() : TerminalSize{};
    // The cursor comes to stand in a line below the table.
    return {flags_.names, size.columns, wants_colour(), size.rows > 1 ? size.rows - 1 : 0};
  }
  int complain(const std::string& message, int status) {
    err_ << "upstream-agent status: " << message << '\n';
    return status;
  }
  /// Over the last table where that is a terminal, else below it. An agent that is gone may come
  /// back.
  void show_again() {
    const auto document = ask_agent(access_, "/api/v1/upstreams");
    const auto table =
        document ? status_table(*document, options()) : tl::unexpected(document.error());
    const std::string text = table ? table->text : table.error().message + '\n';
    if (!writes_to_terminal()) {
      out_ << text << '\n';
      return;
    }
    out_ << "\x1b[H";
    const std::string_view lines = std::string_view(text).substr(0, text.rfind('\n'));
    for (const std::string_view line : split(lines, '\n')) out_ << line << "\x1b[K\n";
    out_ << "\x1b[J";
  }

  const StatusFlags& flags_;
  AgentAccess access_;
  std::ostream& out_;
  std::ostream& err_;
  Timer timer_;
};

}  // namespace

int status_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  StatusFlags flags;
  if (const auto status = read_flags(arguments, flags, out, err)) return *status;
  int status = 0;
  auto access = find_agent(flags, status, err);
  if (!access) return status;
  StatusCommand command(flags, std::move(*access), out, err);
  if (!flags.watch) return command.once();
  if (writes_to_terminal()) out << "\x1b[2J";
  command.watch();
  return 0;
}

}  // namespace ua
