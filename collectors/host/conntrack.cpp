// SPDX-License-Identifier: Apache-2.0
#include "collectors/host/conntrack.h"

#include <cerrno>

#include "collectors/core/text.h"

namespace ua {

Result<Conntrack> parse_conntrack(std::string_view count, std::string_view limit) {
  const auto entries = number<std::uint64_t>(trim(count));
  if (!entries) return fail("nf_conntrack_count: not a number");
  const auto most = number<std::uint64_t>(trim(limit));
  if (!most) return fail("nf_conntrack_max: not a number");
  return Conntrack{*entries, *most};
}

Result<void> ConntrackSampler::sample(HostSnapshot& into) {
  const Result<std::string> count = read_proc_file(directory_ / "nf_conntrack_count");
  if (!count && count.error().code == ENOENT) return {};
  if (!count) return tl::unexpected(count.error());
  const Result<std::string> limit = read_proc_file(directory_ / "nf_conntrack_max");
  if (!limit) return tl::unexpected(limit.error());
  const Result<Conntrack> table = parse_conntrack(*count, *limit);
  if (!table) return tl::unexpected(table.error());
  into.conntrack = *table;
  return {};
}

}  // namespace ua
