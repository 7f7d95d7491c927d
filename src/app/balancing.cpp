#include "app/balancing.h"

#include <utility>

#include <windlass/lumberjack.h>

namespace windlass::app {

WorkerFactory workers_of(const OutputConfig& output) {
  LumberjackOptions options;
  for (const net::HostPort& host : output.hosts) options.hosts.push_back(net::to_string(host));
  options.workers = output.worker;
  options.loadbalance = output.loadbalance;
  options.compression_level = output.compression_level;
  options.tls = output.tls;
  options.wait_retry = output.backoff.init;
  options.max_wait_retry = output.backoff.max;
  options.ttl = output.ttl;
  return lumberjack_workers(std::move(options));
}

LoadBalancerOptions balancer_options(const Config& config) {
  LoadBalancerOptions options;
  options.max_retries = config.output.max_retries;
  options.timeout = config.output.timeout;
  options.progress_timeout = config.progress_timeout;
  options.queue_events = config.queue.events;
  options.queue_bytes = config.queue.bytes;
  options.bulk_max_events = config.output.bulk_max_size;
  if (config.output.pipelining) options.pipelining = *config.output.pipelining;
  return options;
}

}  // namespace windlass::app
