// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tls/tls_options.h"

#include <array>
#include <utility>

#include "collectors/core/secret_file.h"
#include "collectors/core/table_reader.h"
#include "collectors/core/text.h"
#include "collectors/probes/target.h"
#include "collectors/probes/tls/client_identity.h"
#include "collectors/probes/tls/pem.h"

namespace ua {
namespace {

constexpr std::size_t kMaxCaFile = 16 << 20;

constexpr std::array<std::string_view, 4> kVersions{"1.0", "1.1", "1.2", "1.3"};

void read_ca_file(TableReader& table, TlsOptions& options) {
  const auto file = table.text("ca_file");
  if (!file) return;
  const Result<std::string> content = read_regular_file(*file, kMaxCaFile);
  if (!content) {
    table.complain("ca_file", escape_line(content.error().message));
  } else if (!has_pem_certificate(*content)) {
    table.complain("ca_file", escape_line(*file) + " holds no PEM certificate");
  }
  options.ca_file = *file;
}

void read_server_name(TableReader& table, TlsOptions& options) {
  const auto name = table.text("server_name");
  if (!name) return;
  const Result<Target> as_host = parse_target("https://" + *name);
  if (as_host && as_host->host == *name) {
    options.server_name = *name;
  } else {
    table.complain("server_name", "write a host name alone, as in app.example");
  }
}

void read_identity(TableReader& table, TlsOptions& options) {
  const auto cert_file = table.text("cert_file");
  const auto key_file = table.text("key_file");
  if (cert_file && !table.has("key_file")) {
    table.complain("cert_file", "key_file is missing: a client certificate needs its private key");
  }
  if (key_file && !table.has("cert_file")) {
    table.complain("key_file", "cert_file is missing: the key is nothing without its certificate");
  }
  if (!cert_file || !key_file) return;
  const Result<std::string> certificate = read_client_certificate(*cert_file);
  if (!certificate) table.complain("cert_file", escape_line(certificate.error().message));
  const Result<std::string> key = read_client_key(*key_file);
  if (!key) table.complain("key_file", escape_line(key.error().message));
  if (!certificate || !key) return;
  ClientPem pem{*certificate, *key};
  if (const std::string mistake = pair_mistake(pem); !mistake.empty()) {
    return table.complain("key_file", escape_line(not_a_pair(mistake)));
  }
  options.identity = std::make_shared<ClientIdentity>(*cert_file, *key_file, std::move(pem));
}

}  // namespace

TlsOptions read_tls_options(TableReader& upstream) {
  TlsOptions result;
  auto table = upstream.table("tls");
  if (!table) return result;
  read_ca_file(*table, result);
  read_server_name(*table, result);
  read_identity(*table, result);
  result.insecure_skip_verify = table->boolean("insecure_skip_verify").value_or(false);
  if (const auto version = table->choice("min_version", kVersions)) {
    result.min_version = static_cast<TlsVersion>(*version + 1);
  }
  table->finish();
  return result;
}

}  // namespace ua
