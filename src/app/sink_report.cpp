#include "app/sink_report.h"

#include <fmt/format.h>
#include <utility>

namespace windlass::app {

std::string sink_report_json(const SinkCounters& counters, double seconds, const Resources& resources) {
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"events", counters.events},
      {"acked", counters.acked},
      {"rejected", counters.rejected},
      {"throttled", counters.throttled},
      {"failed", counters.failed},
      {"known", counters.known},
      {"replaced", counters.replaced},
      {"bytes", counters.bytes},
      {"windows", counters.windows},
      {"acks", counters.acks},
      {"keep_alives", counters.keep_alives},
      {"connections", counters.connections},
      {"refused", counters.refused},
      {"failed_accepts", counters.failed_accepts},
      {"protocol_errors", counters.protocol_errors},
      {"idle_closes", counters.idle_closes},
  };
  std::string text = "{\n";
  for (const auto& [name, count] : counts) text += fmt::format("  \"{}\": {},\n", name, count);
  return text + fmt::format("  \"seconds\": {:.6f},\n  \"cpu_seconds\": {:.6f},\n  \"max_rss_bytes\": {}\n}}\n",
                            seconds, resources.cpu_seconds, resources.max_rss_bytes);
}

}  // namespace windlass::app
