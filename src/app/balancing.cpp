#include "app/balancing.h"

#include <algorithm>
#include <chrono>

#include "app/output.h"

namespace windlass::app {

LoadBalancerOptions balancer_options(const Config& config) {
  LoadBalancerOptions options;
  options.max_retries = config.output.max_retries;
  options.timeout = config.output.timeout;
  options.progress_timeout = config.progress_timeout;
  // A disk, or the reader of a pipe, cannot be asked whether it lives. What it has taken would only be written twice.
  if (!traits_of(config.output.type).hosts) options.timeout = options.progress_timeout = std::chrono::hours(24 * 365);
  options.may_begin_empty = config.output.each_address || std::ranges::any_of(config.output.hosts, is_service);
  options.max_duplicates = config.max_duplicates;
  options.queue_events = config.queue.events;
  options.queue_bytes = config.queue.bytes;
  options.disk_queue = config.queue.disk;
  options.bulk_max_events = config.output.bulk_max_size;
  if (config.output.pipelining) options.pipelining = *config.output.pipelining;
  return options;
}

std::unique_ptr<DeadLetterFile> keep_dead_letters(const Config& config, LoadBalancerOptions& options) {
  if (config.dead_letter_file.empty()) return nullptr;
  auto file = std::make_unique<DeadLetterFile>(config.dead_letter_file);
  options.dead_letter = [to = file.get()](const DeadLetter& letter) {
    to->keep(letter, std::chrono::system_clock::now());
  };
  return file;
}

}  // namespace windlass::app
