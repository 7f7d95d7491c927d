#include "app/sink.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <deque>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <spdlog/spdlog.h>
#include <stdexcept>
#include <sys/resource.h>
#include <unordered_map>
#include <utility>

#include "app/exit_code.h"
#include "app/recorder.h"
#include "app/sink_connection.h"
#include "app/sink_pace.h"
#include "app/sink_report.h"
#include "base/assert.h"
#include "net/listener.h"
#include "net/tls.h"

namespace windlass::app {
namespace {

// Per listener. A connection may hold an event of 10 MiB that is not complete.
constexpr std::size_t max_connections = 1024;
// That one connection takes before it is the next one's turn.
constexpr std::uint64_t turn = 4096;

/// As many open files as the system allows without asking anybody.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Sink final : public SinkConnectionOwner {
 public:
  explicit Sink(const SinkOptions& options)
      : faults_(options.faults),
        signals_(context_),
        turn_timer_(context_),
        started_(steady_now()),
        pace_(faults_.rates, started_) {
    if (!options.record.empty()) record(options.record);
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    wait_for_signal();
    for (const ListenConfig& config : options.listen) listen(config);
  }

  /// Until a signal, or a record that cannot be written. True when it ended in the usual way.
  bool run() {
    context_.run();
    if (recorder_) recorder_->flush();
    return !hurried_ && !(recorder_ && recorder_->error());
  }

  const SinkCounters& counters() const { return counters_; }
  base::Duration elapsed() const { return steady_now() - started_; }

 private:
  void record(const std::string& path) {
    recorder_.emplace(path);
    if (recorder_->cut_bytes() > 0)
      spdlog::warn("{}: its last line was not complete, and is cut off ({} bytes)", path, recorder_->cut_bytes());
  }

  void listen(const ListenConfig& config) {
    net::Listener::Options options;
    options.at = config.at;
    options.max_connections = max_connections;
    if (config.tls) options.tls = net::TlsContext::server(*config.tls);
    auto listener = std::make_unique<net::Listener>(
        context_, std::move(options), [this](std::unique_ptr<net::Stream> stream) { on_accepted(std::move(stream)); },
        [this](std::error_code, const std::string& detail) {
          ++counters_.failed_accepts;
          spdlog::warn("{}", detail);
        });
    fmt::print("listening on {}{}://{}\n", to_string(config.type), config.tls ? "s" : "",
               net::to_string(listener->local()));
    std::fflush(stdout);
    listeners_.push_back(std::move(listener));
  }

  void on_accepted(std::unique_ptr<net::Stream> stream) {
    if (steady_now() < base::after(started_, faults_.refuse_for)) {
      ++counters_.refused;
      spdlog::info("{}: refused, as the sink was asked to", stream->peer_endpoint());
      return stream->abort();
    }
    ++counters_.connections;
    const auto connection = std::make_shared<SinkConnection>(context_, *this, std::move(stream), faults_,
                                                             recorder_ ? &*recorder_ : nullptr, counters_);
    connections_.emplace(connection.get(), connection);
    connection->start();
  }

  void on_has_more(const std::shared_ptr<SinkConnection>& connection) override {
    ready_.push_back(connection);
    plan_turns(steady_now());
  }

  void on_gone(SinkConnection& connection) override {
    connections_.erase(&connection);
    if (recorder_ && recorder_->error()) stop_for_good();
    if (stopping_ && connections_.empty()) context_.stop();
  }

  void plan_turns(base::Time now) {
    if (turns_planned_ || ready_.empty()) return;
    turns_planned_ = true;
    if (!pace_.limited()) {
      boost::asio::post(context_, [this] { take_turns(); });
      return;
    }
    turn_timer_.expires_after(std::max(base::Duration(0), pace_.next(now) - now));
    turn_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) take_turns();
    });
  }

  /// Each connection once, and in the order in which they came, as far as the pace allows.
  void take_turns() {
    const base::Time now = steady_now();
    std::uint64_t allowance = pace_.allowance(now);
    for (std::size_t turns = ready_.size(); turns > 0 && allowance > 0; --turns) {
      const auto connection = std::move(ready_.front());
      ready_.pop_front();
      if (!connection->has_more()) continue;
      const std::uint64_t taken = connection->take(std::min(turn, allowance), now);
      pace_.spend(taken);
      if (pace_.limited()) allowance -= taken;
    }
    turns_planned_ = false;
    plan_turns(now);
  }

  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) on_signal();
    });
  }

  void on_signal() {
    if (stopping_) {
      hurried_ = true;
      return context_.stop();
    }
    wait_for_signal();
    stopping_ = true;
    for (const auto& listener : listeners_) listener->close();
    const base::Time now = steady_now();
    for (const auto& connection : everyone()) connection->stop(now);
    if (connections_.empty()) context_.stop();
  }

  /// What was taken cannot be recorded: then nothing more may be acknowledged.
  void stop_for_good() {
    if (std::exchange(stopping_, true)) return;
    spdlog::error("the record cannot be written: {}", recorder_->error().message());
    for (const auto& listener : listeners_) listener->close();
    for (const auto& connection : everyone()) connection->close();
    context_.stop();
  }

  std::vector<std::shared_ptr<SinkConnection>> everyone() const {
    std::vector<std::shared_ptr<SinkConnection>> all;
    for (const auto& [key, connection] : connections_) all.push_back(connection);
    return all;
  }

  const SinkFaults faults_;
  std::optional<Recorder> recorder_;
  SinkCounters counters_;
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer turn_timer_;
  const base::Time started_;
  Pace pace_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unordered_map<SinkConnection*, std::shared_ptr<SinkConnection>> connections_;
  std::deque<std::shared_ptr<SinkConnection>> ready_;  // each at most once
  bool turns_planned_ = false;
  bool stopping_ = false;
  bool hurried_ = false;
};

bool write_sink_report(const std::string& path, const Sink& sink) {
  const double seconds = std::chrono::duration<double>(sink.elapsed()).count();
  const std::error_code error = write_report(path, sink_report_json(sink.counters(), seconds, resources_used()));
  if (error) spdlog::error("{}: {}", path, error.message());
  return !error;
}

}  // namespace

int run_sink(const SinkOptions& options) {
  WINDLASS_ASSERT(!options.listen.empty());
  raise_file_limit();
  std::unique_ptr<Sink> sink;
  try {
    sink = std::make_unique<Sink>(options);
  } catch (const std::runtime_error& error) {
    // An address, a certificate or a record; the text names it.
    spdlog::error("{}", error.what());
    return exit_usage;
  }
  bool fine = sink->run();
  if (!options.report.empty() && !write_sink_report(options.report, *sink)) fine = false;
  return fine ? exit_all_acked : exit_incomplete;
}

}  // namespace windlass::app
