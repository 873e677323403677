// SPDX-License-Identifier: Apache-2.0
// The STARTTLS dialogue on a connection, up to where TLS begins. Owned by a probe; loop thread.
#pragma once

#include <functional>
#include <optional>

#include "collectors/probes/net/stream.h"
#include "collectors/probes/tls/starttls.h"

namespace ua {

class ProbeEngine;

class StarttlsRun {
 public:
  using Failure = StarttlsDialogue::Failure;
  /// The socket, or why there is no TLS to be had. Once, never from inside the constructor; this
  /// must not be destroyed in it.
  using Done = std::function<void(UniqueFd, std::optional<Failure>)>;

  StarttlsRun(ProbeEngine& engine, UniqueFd fd, Starttls protocol, Done done);

  /// Time is up: what is known. `done` is not called any more.
  Failure give_up();

 private:
  void send();
  void on_sent();
  void on_received(std::string_view bytes);
  void end(std::optional<Failure> failure);

  ProbeEngine& engine_;
  Done done_;
  StarttlsDialogue dialogue_;
  Stream stream_;
};

}  // namespace ua
