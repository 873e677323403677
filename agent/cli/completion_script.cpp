// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/completion_script.h"

#include "collectors/core/text.h"

namespace ua {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) {
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

/// "-h,--help   Print ..." and "--log.level WORD:{a,b}" are flags; what follows two blanks is help.
FlagWords flag_in_line(std::string_view line) {
  FlagWords flag;
  line = line.substr(0, line.find("  "));
  line.remove_prefix(line.find("--"));
  const std::size_t end = line.find(' ');
  flag.name = line.substr(0, end);
  if (end == std::string_view::npos) return flag;
  const std::string_view type = line.substr(end + 1);
  if (type.starts_with("Excludes:") || type.starts_with("Needs:")) return flag;
  flag.takes_value = true;
  flag.takes_file = type.starts_with("FILE");
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
    for (const auto word : split(type.substr(open + 1, close - open - 1), ',')) {
      flag.values.emplace_back(word);
    }
  }
  return flag;
}

std::string single_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + '\'';
}

std::string names_of(const std::vector<CommandWords>& commands, std::string_view between) {
  std::string result;
  for (const CommandWords& command : commands) {
    if (!result.empty()) result += between;
    result += command.name;
  }
  return result;
}

/// The flags and words of a command.
std::string words_of(const CommandWords& command) {
  std::vector<std::string> words = command.words;
  for (const FlagWords& flag : command.flags) words.push_back(flag.name);
  words.emplace_back("--help");
  return joined(words);
}

void add_bash_values(std::string& out, const CommandWords& command) {
  for (const FlagWords& flag : command.flags) {
    if (!flag.takes_value) continue;
    out += "    " + command.name + ':' + flag.name + ") ";
    if (flag.takes_file) {
      out += "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$current\")); ";
    } else if (!flag.values.empty()) {
      out += "COMPREPLY=($(compgen -W '" + joined(flag.values) + "' -- \"$current\")); ";
    }
    out += "return ;;\n";
  }
}

std::string zsh_flag(const FlagWords& flag) {
  if (!flag.takes_value) return single_quoted(flag.name);
  std::string action = ":value: ";
  if (flag.takes_file) action = ":file:_files";
  if (!flag.values.empty()) action = ":word:(" + joined(flag.values) + ')';
  return single_quoted(flag.name + '=' + action);
}

}  // namespace

std::vector<FlagWords> flags_in_help(std::string_view help) {
  std::vector<FlagWords> result;
  bool within = false;
  for (const std::string_view line : split(help, '\n')) {
    if (line.empty() || line[0] != ' ') within = line == "Options:";
    const std::string_view text = trim(line);
    const bool flag = within && text.starts_with('-') && text.find("--") != std::string_view::npos;
    if (!flag || line.starts_with("      ")) continue;
    FlagWords found = flag_in_line(text);
    if (found.name != "--help") result.push_back(std::move(found));
  }
  return result;
}

std::string bash_completion(const std::vector<CommandWords>& commands) {
  std::string out =
      "# Completion of upstream-agent for bash. To use it: source <(upstream-agent completion "
      "bash)\n"
      "_upstream_agent() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
      "  local command= words= i\n"
      "  if [[ $current == = ]]; then current=; "
      "elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n      " +
      names_of(commands, "|") +
      ") command=${COMP_WORDS[i]}; break ;;\n"
      "    esac\n  done\n"
      "  case ${command:-run}:$previous in\n";
  for (const CommandWords& command : commands) add_bash_values(out, command);
  out += "  esac\n  case ${command:-run} in\n";
  for (const CommandWords& command : commands) {
    out += "    " + command.name + ") words='" + words_of(command) + "' ;;\n";
  }
  return out + "  esac\n  [[ $command ]] || words+=' --version " + names_of(commands, " ") +
         "'\n  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
         "complete -F _upstream_agent upstream-agent\n";
}

std::string zsh_completion(const std::vector<CommandWords>& commands) {
  std::string out =
      "#compdef upstream-agent\n"
      "# Completion of upstream-agent for zsh. To use it: source <(upstream-agent completion zsh)\n"
      "_upstream_agent() {\n  local -a commands=(\n";
  for (const CommandWords& command : commands) {
    out += "    " + single_quoted(command.name + ':' + command.help) + '\n';
  }
  out +=
      "  )\n  local command= word\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case $word in\n      " +
      names_of(commands, "|") +
      ") command=$word; break ;;\n"
      "    esac\n  done\n"
      "  [[ -n $command ]] || _describe command commands\n"
      "  case ${command:-run} in\n";
  for (const CommandWords& command : commands) {
    out += "    " + command.name + ") _arguments '--help'";
    for (const FlagWords& flag : command.flags) out += ' ' + zsh_flag(flag);
    if (!command.words.empty()) {
      out += ' ' + single_quoted("*:word:(" + command.name + ' ' + joined(command.words) + ')');
    } else {
      out += " '*:word: '";
    }
    out += " ;;\n";
  }
  return out + "  esac\n}\ncompdef _upstream_agent upstream-agent\n";
}

std::string fish_completion(const std::vector<CommandWords>& commands) {
  std::string out =
      "# Completion of upstream-agent for fish. To use it: upstream-agent completion fish | "
      "source\n"
      "complete -c upstream-agent -f\n"
      "complete -c upstream-agent -n __fish_use_subcommand -l version\n"
      "complete -c upstream-agent -l help\n";
  for (const CommandWords& command : commands) {
    out += "complete -c upstream-agent -n __fish_use_subcommand -a " + command.name + " -d " +
           single_quoted(command.help) + '\n';
    const std::string here =
        "complete -c upstream-agent -n '__fish_seen_subcommand_from " + command.name + "' ";
    if (!command.words.empty()) out += here + "-a '" + joined(command.words) + "'\n";
    for (const FlagWords& flag : command.flags) {
      out += here + "-l " + flag.name.substr(2);
      if (flag.takes_file) {
        out += " -r -F";
      } else if (!flag.values.empty()) {
        out += " -x -a '" + joined(flag.values) + "'";
      } else if (flag.takes_value) {
        out += " -x";
      }
      out += '\n';
    }
  }
  return out;
}

}  // namespace ua
