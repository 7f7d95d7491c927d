#include "runtime/lumberjack_client.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include <windlass/lumberjack.h>

namespace windlass::runtime {
namespace {

/// What a connection keeps of its output buffer while nothing is in flight.
constexpr std::size_t idle_output = std::size_t{64} << 10;

}  // namespace

LumberjackClient::LumberjackClient(Loop& loop, net::Connector::Options options, int compression_level)
    : connector_(loop.context(), loop.resolver(), std::move(options)), compression_level_(compression_level) {}

void LumberjackClient::connect(Link link, std::chrono::milliseconds timeout) {
  link_ = std::move(link);
  connector_.connect(timeout, [this](std::error_code error, std::string detail, std::unique_ptr<net::Stream> stream) {
    if (error) return link_.lost(error, std::move(detail));
    stream_ = std::move(stream);
    conversation_.emplace(protocol::LumberjackClient::Options{compression_level_});
    stream_->start(*this);
    link_.connected();
  });
}

void LumberjackClient::publish(Batch batch, Completion done) {
  if (!stream_) return done.failed(errc::connection_lost);
  completions_.push_back(std::move(done));
  waiting_.push_back(std::move(batch));
  flush();
}

void LumberjackClient::close() noexcept {
  connector_.cancel();
  stream_.reset();
  conversation_.reset();
  waiting_.clear();
  windows_.clear();
  completions_.clear();
}

void LumberjackClient::flush() {
  if (stream_->sending() || waiting_.empty()) return;
  // Encoded only now: what waits for the line takes no second piece of memory.
  const Batch batch = std::move(waiting_.front());
  waiting_.pop_front();
  const std::size_t most = protocol::LumberjackClient::max_window;
  for (std::size_t first = 0; first < batch.size(); first += most) {
    const std::size_t count = std::min(most, batch.size() - first);
    const bool last = first + count == batch.size();
    windows_.push_back({static_cast<std::uint32_t>(first), last});
    conversation_->send(0, first == 0 && last ? batch : batch.part(first, count));
  }
  stream_->send(conversation_->output());
}

void LumberjackClient::on_sent() {
  if (completions_.empty()) conversation_->output().shrink(idle_output);
  flush();
}

void LumberjackClient::on_received(std::string_view bytes) {
  const std::error_code error = conversation_->receive(bytes);
  tell_answers();
  if (error) link_.lost(error, stream_->peer_endpoint() + ": " + std::string(conversation_->error_detail()));
}

void LumberjackClient::tell_answers() {
  using Kind = protocol::LumberjackClient::Event::Kind;
  while (const auto event = conversation_->poll()) {
    if (event->kind == Kind::alive) {
      link_.alive();
      continue;
    }
    const Window window = windows_.front();
    if (event->kind == Kind::done) windows_.pop_front();
    if (event->kind == Kind::done && window.last) {
      completions_.front().acked();
      completions_.pop_front();
    } else {
      completions_.front().progress(window.first + event->count);
    }
  }
}

void LumberjackClient::on_closed(std::error_code error) {
  link_.lost(error, stream_->peer_endpoint() + ": " + error.message());
}

}  // namespace windlass::runtime

namespace windlass {
namespace {

constexpr std::uint16_t default_port = 5044;

std::vector<Worker> make_workers(runtime::Loop& loop, const LumberjackOptions& options) {
  if (options.compression_level < 0 || options.compression_level > 9)
    throw std::invalid_argument("a compression level is 0 to 9, not " + std::to_string(options.compression_level));
  std::optional<net::TlsContext> tls;
  if (options.tls) tls = net::TlsContext::client(*options.tls);
  const std::size_t hosts = options.hosts.size();
  // Fleets that share a list of hosts must not all prefer the same one.
  const std::size_t preferred = hosts == 0 ? 0 : std::random_device()() % hosts;
  std::vector<Worker> workers;
  for (std::size_t host = 0; host < hosts; ++host) {
    const net::HostPort address = net::parse_host_port(options.hosts[host], default_port);
    for (unsigned connection = 0; connection < std::max(1u, options.workers); ++connection) {
      Worker& worker = workers.emplace_back();
      worker.endpoint = net::to_string(address);
      worker.client = std::make_unique<runtime::LumberjackClient>(
          loop, net::Connector::Options{address, tls, {}, nullptr}, options.compression_level);
      worker.wait_retry = options.wait_retry;
      worker.max_wait_retry = options.max_wait_retry;
      worker.ttl = options.ttl;
      if (!options.loadbalance) worker.priority = static_cast<unsigned>((host + hosts - preferred) % hosts);
    }
  }
  return workers;
}

}  // namespace

WorkerFactory lumberjack_workers(LumberjackOptions options) {
  return [options = std::move(options)](runtime::Loop& loop) { return make_workers(loop, options); };
}

}  // namespace windlass
