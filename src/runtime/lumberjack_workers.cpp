#include <memory>
#include <utility>

#include <windlass/lumberjack.h>

#include "protocol/lumberjack_client.h"
#include "runtime/endpoint_workers.h"

namespace windlass {
namespace {

constexpr std::uint16_t default_port = 5044;

}  // namespace

WorkerFactory lumberjack_workers(LumberjackOptions options) {
  return [options = std::move(options)](runtime::Loop& loop) {
    runtime::check_compression_level(options.compression_level);
    const protocol::LumberjackClient::Options conversation{options.compression_level};
    return runtime::endpoint_workers(loop, options, default_port, [&](const net::HostPort&) {
      return [conversation] { return std::make_unique<protocol::LumberjackClient>(conversation); };
    });
  };
}

}  // namespace windlass
