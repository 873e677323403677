// SPDX-License-Identifier: Apache-2.0
#include "agent/web/upstreams_json.h"

#include <algorithm>
#include <map>

#include "agent/outcome_json.h"
#include "agent/web/standing.h"
#include "collectors/core/text.h"

namespace ua {
namespace {

using nlohmann::ordered_json;

/// By upstream in the order of their names, the targets in the order of the board.
using Upstreams = std::map<std::string_view, std::vector<const TargetStatus*>>;

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json timestamp(const std::optional<WallTime>& time) {
  return time ? ordered_json(to_seconds(*time)) : ordered_json(nullptr);
}

ordered_json text_or_null(std::string_view text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(escape_line(text, 2000));
}

/// What there is to say and to do about the last result.
void add_advice(ordered_json& json, const TargetStatus& status, std::string_view second_look) {
  const bool wrong = status.last && status.last->error != ErrorClass::none;
  json["likely_cause"] = wrong ? ordered_json(info(status.last->error).likely_cause) : nullptr;
  json["first_check"] = wrong ? ordered_json(info(status.last->error).first_check) : nullptr;
  json["command"] = text_or_null(status.first_check);
  json["second_look"] = wrong ? text_or_null(second_look) : nullptr;
}

ordered_json target_json(const TargetStatus& status, std::string_view second_look) {
  ordered_json json{{"target", escape_line(status.target)},
                    {"address", text_or_null(status.address)},
                    {"type", status.type},
                    {"standing", name(standing(status))},
                    {"verdict", name(status.verdict)},
                    {"local_trouble", nullptr},
                    {"interval_seconds", to_seconds(status.interval)},
                    {"attempts", status.attempts},
                    {"failures", status.failures},
                    {"state_change_timestamp", timestamp(status.state_change)},
                    {"slow_since_timestamp", timestamp(status.slow_since)},
                    {"last_run_timestamp", timestamp(status.last_run)},
                    {"last_success_timestamp", timestamp(status.last_success)},
                    {"last", nullptr}};
  if (status.local_trouble != LocalTrouble::none) {
    json["local_trouble"] = name(status.local_trouble);
  }
  if (status.last) json["last"] = outcome_json(*status.last);
  add_advice(json, status, second_look);
  json["configured_in"] = text_or_null(status.origin);
  return json;
}

ordered_json history_json(const TargetStatus& status, Time until) {
  ordered_json slots = ordered_json::array();
  if (status.history) {
    for (const auto& slot : status.history->read(until)) {
      slots.push_back(
          {{"attempts", slot.attempts},
           {"failures", slot.failures},
           {"slowest_seconds", slot.slowest > 0 ? ordered_json(slot.slowest) : nullptr}});
    }
  }
  return {{"slot_seconds", to_seconds(TargetHistory::kSlotLength)}, {"slots", std::move(slots)}};
}

ordered_json one_upstream(std::string_view upstream,
                          const std::vector<const TargetStatus*>& targets, const StatusData& data,
                          bool with_history) {
  ordered_json json{{"name", escape_line(upstream)},
                    {"service", text_or_null(targets.front()->service)},
                    {"targets", ordered_json::array()}};
  for (const TargetStatus* target : targets) {
    ordered_json one = target_json(*target, data.second_look_at(*target));
    if (with_history) one["history"] = history_json(*target, data.history_until);
    json["targets"].push_back(std::move(one));
  }
  return json;
}

Upstreams by_upstream(const StatusData& data) {
  Upstreams result;
  for (const auto& target : data.targets) result[target->upstream].push_back(target.get());
  return result;
}

ordered_json host_json(const HostGlance& host) {
  ordered_json json{{"cpus", or_null(host.cpus)},
                    {"cpu_busy_ratio", or_null(host.cpu_busy_ratio)},
                    {"load1", or_null(host.load1)},
                    {"memory_used_ratio", or_null(host.memory_used_ratio)},
                    {"swap_used_ratio", or_null(host.swap_used_ratio)},
                    {"tcp_established", or_null(host.established)},
                    {"tcp_time_wait", or_null(host.time_wait)},
                    {"tcp_listening", or_null(host.listening)},
                    {"listen_overflows", or_null(host.listen_overflows)},
                    {"ports_used_ratio", or_null(host.ports_used_ratio)},
                    {"conntrack_used_ratio", or_null(host.conntrack_used_ratio)},
                    {"descriptors_used_ratio", or_null(host.descriptors_used_ratio)},
                    {"fullest_listen_queue", nullptr},
                    {"fullest_filesystem", nullptr}};
  if (host.fullest_filesystem) {
    json["fullest_filesystem"] = {{"mount", escape_line(host.fullest_filesystem->mount)},
                                  {"used_ratio", host.fullest_filesystem->used_ratio}};
  }
  if (host.fullest_queue) {
    json["fullest_listen_queue"] = {{"port", host.fullest_queue->port},
                                    {"length", host.fullest_queue->length},
                                    {"limit", host.fullest_queue->limit}};
  }
  return json;
}

}  // namespace

std::string upstreams_json(const StatusData& data) {
  ordered_json json{{"version", UA_VERSION},
                    {"timestamp", to_seconds(data.now)},
                    {"configuration", escape_line(data.configuration)},
                    {"notes", ordered_json::array()},
                    {"host", host_json(data.host)},
                    {"targets", data.targets.size()},
                    {"failing", std::count_if(data.targets.begin(), data.targets.end(),
                                              [](const auto& target) {
                                                return standing(*target) == Standing::failing;
                                              })},
                    {"upstreams", ordered_json::array()}};
  for (const std::string& note : data.notes) json["notes"].push_back(escape_line(note, 2000));
  for (const auto& [upstream, targets] : by_upstream(data)) {
    json["upstreams"].push_back(one_upstream(upstream, targets, data, false));
  }
  return dump_json(json);
}

std::optional<std::string> upstream_json(const StatusData& data, std::string_view name) {
  const Upstreams upstreams = by_upstream(data);
  const auto found = upstreams.find(name);
  if (found == upstreams.end()) return std::nullopt;
  return dump_json(one_upstream(found->first, found->second, data, true));
}

}  // namespace ua
