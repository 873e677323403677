// SPDX-License-Identifier: Apache-2.0
#include "agent/config/web_reader.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/config/listen_address.h"
#include "agent/web/bcrypt.h"
#include "agent/web/tls_credentials.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

// In the order of ClientAuth.
constexpr std::array<std::string_view, 5> kClientAuth{
    "NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert"};
constexpr std::array<std::string_view, 2> kVersions{"TLS12", "TLS13"};

bool is_among(const std::vector<ListenAddress>& addresses, const ListenAddress& address) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const ListenAddress& other) { return address.same_place(other); });
}

void read_addresses(TableReader& table, WebConfig& web) {
  const auto addresses = table.texts("listen_address");
  if (!addresses) return;
  web.listen_addresses.clear();
  if (addresses->empty()) table.complain("listen_address", "the list is empty");
  for (const TableReader::Item& address : *addresses) {
    auto parsed = parse_listen_address(address.text);
    if (!parsed) {
      table.complain_item("listen_address", *address.node, parsed.error().message);
    } else if (is_among(web.listen_addresses, *parsed)) {
      table.complain_item("listen_address", *address.node,
                          '\'' + address.text + "' stands there twice");
    } else {
      web.listen_addresses.push_back(std::move(*parsed));
    }
  }
}

void read_path(TableReader& table, std::string_view key, std::filesystem::path& path) {
  const auto written = table.text(key);
  if (!written) return;
  if (written->empty()) table.complain(key, "is empty");
  path = *written;
}

void read_tls(TableReader& table, WebConfig& web) {
  TlsServerConfig& tls = web.tls ? *web.tls : web.tls.emplace();
  read_path(table, "cert_file", tls.cert_file);
  read_path(table, "key_file", tls.key_file);
  read_path(table, "client_ca_file", tls.client_ca_file);
  if (const auto auth = table.choice("client_auth_type", kClientAuth)) {
    tls.client_auth = static_cast<ClientAuth>(*auth);
  }
  if (const auto version = table.choice("min_version", kVersions)) tls.only_tls13 = *version == 1;
  table.finish();
}

bool verifies(ClientAuth auth) {
  return auth == ClientAuth::verify_if_given || auth == ClientAuth::require_and_verify;
}

/// @return whether they fit what is asked of clients
bool check_authorities(const TlsServerConfig& tls, const TlsServerKeys& keys) {
  const bool given = keys.has("client_ca_file");
  if (verifies(tls.client_auth) == given) return true;
  if (given) {
    keys.complain("client_ca_file",
                  "no certificate is verified by it without client_auth_type = "
                  "\"RequireAndVerifyClientCert\" or \"VerifyClientCertIfGiven\"");
  } else {
    const auto auth = static_cast<std::size_t>(tls.client_auth);
    keys.complain("client_auth_type", std::string(kClientAuth[auth]) +
                                          " needs client_ca_file: whose certificates are let in");
  }
  return false;
}

/// Empty where there is none.
std::string user_mistake(const std::string& name, const std::string& hash) {
  const std::string shown = '\'' + escape_line(name, 60) + '\'';
  if (name.empty()) return "a user has no name";
  if (name.find(':') != std::string::npos) return shown + ": a user's name has no colon";
  if (escape_line(name, name.size()) != name) return "the name " + shown + " cannot be typed";
  const auto cost = bcrypt_cost(hash);
  if (!cost) return shown + " needs the hash that upstream-agent hash-password prints";
  if (*cost < kLeastBcryptCost || *cost > kMostBcryptCost) {
    return "the hash of " + shown + " has a cost of " + std::to_string(*cost) +
           "; it goes from 4 to 14";
  }
  return "";
}

/// A message never holds the value: it may be a password.
void read_users(TableReader& table, WebConfig& web) {
  const toml::node* const node = table.node("basic_auth_users");
  if (node != nullptr && node->is_table() && node->as_table()->empty()) {
    table.complain("basic_auth_users",
                   "has no user; remove the table where nobody needs a password");
  }
  for (TableReader::Pair& pair : table.text_pairs("basic_auth_users")) {
    const std::string mistake = user_mistake(pair.key, pair.value);
    if (mistake.empty()) {
      web.users.push_back({std::move(pair.key), std::move(pair.value)});
    } else {
      table.complain_item("basic_auth_users", *pair.node, mistake);
    }
  }
}

}  // namespace

void read_web(TableReader& table, WebConfig& web) {
  read_addresses(table, web);
  if (auto tls = table.table("tls_server_config")) read_tls(*tls, web);
  read_users(table, web);
}

void load_tls_server(WebConfig& web, const TlsServerKeys& keys) {
  if (!web.tls) return;
  for (const std::string_view needed : {"cert_file", "key_file"}) {
    if (!keys.has(needed)) keys.complain(needed, "is missing");
  }
  const bool whole = !web.tls->cert_file.empty() && !web.tls->key_file.empty();
  if (!check_authorities(*web.tls, keys) || !whole) return;
  auto loaded = TlsCredentials::load(*web.tls);
  if (loaded) {
    web.credentials = std::move(*loaded);
  } else {
    keys.complain(loaded.error().key, loaded.error().message);
  }
}

}  // namespace ua
