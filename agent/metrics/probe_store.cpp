// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/probe_store.h"

#include <prometheus/metric_family.h>

#include "agent/metrics/model_sink.h"
#include "agent/metrics/probe_columns.h"
#include "agent/metrics/probe_walk.h"

namespace ua {

struct ProbeStore::Impl {
  Impl(const MetricsConfig& config, std::uint64_t max_series) : columns(config, max_series) {}

  ProbeColumns columns;
  mutable StoreLock lock;
};

namespace {

class WriterHold {
 public:
  explicit WriterHold(StoreLock& lock) : lock_(lock) {
    lock_.writers.fetch_add(1, std::memory_order_relaxed);
    lock_.mutex.lock();
  }
  ~WriterHold() {
    lock_.mutex.unlock();
    lock_.writers.fetch_sub(1, std::memory_order_relaxed);
  }
  WriterHold(const WriterHold&) = delete;
  WriterHold& operator=(const WriterHold&) = delete;

 private:
  StoreLock& lock_;
};

}  // namespace

ProbeStore::ProbeStore(const MetricsConfig& config, std::uint64_t max_series)
    : impl_(std::make_unique<Impl>(config, max_series)) {}

ProbeStore::~ProbeStore() = default;

std::optional<ProbeStore::Row> ProbeStore::add(const RowSpec& spec) {
  const WriterHold hold(impl_->lock);
  return impl_->columns.add(spec);
}

void ProbeStore::remove(Row row) {
  const WriterHold hold(impl_->lock);
  impl_->columns.remove(row);
}

void ProbeStore::describe(Row row, const RowSpec& spec) {
  const WriterHold hold(impl_->lock);
  impl_->columns.describe(row, spec);
}

void ProbeStore::record(Row row, const Sample& sample) {
  const WriterHold hold(impl_->lock);
  impl_->columns.record(row, sample);
}

std::uint64_t ProbeStore::series() const {
  return impl_->columns.budget.used.load(std::memory_order_relaxed);
}
std::uint64_t ProbeStore::series_limit() const { return impl_->columns.budget.most; }
std::uint64_t ProbeStore::series_dropped() const {
  return impl_->columns.budget.dropped.load(std::memory_order_relaxed);
}

std::uint64_t ProbeStore::page_bytes() const {
  return series() * kBytesBesideRowLabels +
         impl_->columns.label_bytes.load(std::memory_order_relaxed);
}

void ProbeStore::render(TextWriter& writer, Time now) const {
  ProbeWalk(impl_->columns, impl_->lock, writer).all(now);
}

std::vector<prometheus::MetricFamily> ProbeStore::collect(Time now) const {
  ModelSink sink;
  ProbeWalk(impl_->columns, impl_->lock, sink).all(now);
  return sink.take();
}

}  // namespace ua
