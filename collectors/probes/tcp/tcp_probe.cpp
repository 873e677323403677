// SPDX-License-Identifier: Apache-2.0
#include "collectors/probes/tcp/tcp_probe.h"

#include "collectors/probes/probe.h"
#include "collectors/probes/probe_engine.h"

namespace ua {
namespace {

class TcpProbe final : public Probe {
 public:
  explicit TcpProbe(ProbeEngine& engine) : engine_(engine) {}

  void start(Connection connection, Done done) override {
    if (engine_.connect_rate.busy(connection.peer)) close_by_reset(connection.fd.get());
    connection.fd.reset();
    done_ = std::move(done);
    later_ = engine_.loop.after(Duration::zero(), [this] {
      const Done call = std::move(done_);
      call(ProbeResult{});
    });
  }

  ProbeResult cancel() override { return {}; }  // it was connected, which is all that is asked

 private:
  ProbeEngine& engine_;
  Done done_;
  Timer later_;
};

}  // namespace

ProbeMaker make_tcp_maker() {
  return [](ProbeEngine& engine, const Target&) -> std::unique_ptr<Probe> {
    return std::make_unique<TcpProbe>(engine);
  };
}

}  // namespace ua
