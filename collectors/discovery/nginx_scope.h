// SPDX-License-Identifier: Apache-2.0
// What a place in nginx's configuration knows: settings inherited from the blocks around it, and
// variables. Refers to the tree, which outlives it; copies no more than a pointer a block.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/discovery/nginx_config.h"

namespace ua {

/// Longest word that is looked at; no address, name or header is longer.
inline constexpr std::size_t kMaxNginxWord = 1024;

/// Stands in an expanded text for what is known at run time only.
inline constexpr char kUnknown = '\x01';
inline constexpr std::string_view kUnknownText = "\x01";

/// All that a variable can be, as far as the configuration says.
struct NginxValues {
  std::vector<std::string> known;
  bool more = false;  ///< others are known at run time only
};

/// nullopt: no such variable, or of the request.
using NginxLookup = std::function<std::optional<NginxValues>(std::string_view name)>;

/// `text` for all values of the variables in it, each once and not more than a few dozen.
/// @param lookup takes names without '$', in lower case
NginxValues expand_nginx(std::string_view text, const NginxLookup& lookup);

struct NginxSettings {
  std::optional<std::string_view> host;  ///< proxy_set_header Host
  bool ssl_server_name = false;
  std::optional<std::string_view> ssl_name;
  bool ssl_verify = false;
  std::string_view ssl_trusted_certificate;
  std::string_view ssl_certificate;  ///< that nginx shows to the upstream
  std::string_view server_name;      ///< the first one, without the dot it may begin with
  std::string_view plain_name;       ///< the first one that is no pattern; empty: none is
  std::string_view port = "80";      ///< of the first `listen`
  std::vector<std::string_view> schemes{"http"};  ///< of all, that of the first one first
  bool udp = false;                               ///< all of them (stream)
  bool own_resolver = false;  ///< on this host, apart from the host's own; knows names of its own
};

/// Of a `resolver` directive.
bool is_own_resolver(const NginxDirective& resolver);

class NginxScope {
 public:
  NginxScope() = default;
  /// That of a block within `outer`, which outlives it.
  NginxScope(const NginxDirective& block, const NginxScope& outer);

  const NginxSettings& settings() const { return settings_; }
  /// What `set` gives a variable here; nullopt: nothing.
  std::optional<NginxValues> variable(std::string_view lower_name) const;

 private:
  struct Variable {
    std::vector<std::string_view> values;  // with variables in them
    bool always = false;                   // one of them is set whatever the request
  };

  void read(const NginxDirective& directive);
  void read_header(const NginxDirective& directive);
  void read_ssl(const NginxDirective& directive);
  void read_names(const std::vector<std::string>& names);
  void read_listens(const NginxDirective& server);
  void read_set(const NginxDirective& directive, bool always);
  const NginxScope* next() const;  // where a variable is looked up after here

  NginxSettings settings_;
  bool own_headers_ = false;
  bool is_location_ = false;
  const NginxScope* outer_ = nullptr;
  std::map<std::string, Variable, std::less<>> variables_;
};

}  // namespace ua
