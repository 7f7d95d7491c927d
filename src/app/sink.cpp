#include "app/sink.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <spdlog/spdlog.h>
#include <stdexcept>
#include <utility>

#include "app/exit_code.h"
#include "app/recorder.h"
#include "app/server.h"
#include "app/sink_conversation.h"
#include "app/sink_report.h"
#include "app/sink_server.h"
#include "base/assert.h"

namespace windlass::app {
namespace {

// Per listener. A connection may hold an event of 10 MiB that is not complete.
constexpr std::size_t max_connections = 1024;

class Sink {
 public:
  explicit Sink(const SinkOptions& options)
      : options_(options),
        signals_(context_),
        started_(steady_now()),
        server_(context_, {max_connections, 0, faults().rates},
                {[this](const ListenConfig& at, std::unique_ptr<net::Stream> stream) {
                   on_accepted(at, std::move(stream));
                 },
                 [this] { ++counters_.failed_accepts; }, [this](ServerConnection&) { on_gone(); }}) {
    if (!options.record.empty()) record(options.record);
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    wait_for_signal();
    for (const ListenConfig& config : options.listen) server_.listen(config);
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
  const SinkFaults& faults() const { return options_.faults; }

  void record(const std::string& path) {
    recorder_.emplace(path);
    if (recorder_->cut_bytes() > 0)
      spdlog::warn("{}: its last line was not complete, and is cut off ({} bytes)", path, recorder_->cut_bytes());
  }

  void on_accepted(const ListenConfig& at, std::unique_ptr<net::Stream> stream) {
    if (steady_now() < base::after(started_, faults().refuse_for)) {
      ++counters_.refused;
      spdlog::info("{}: refused, as the sink was asked to", stream->peer_endpoint());
      return stream->abort();
    }
    ++counters_.connections;
    server_.open(std::move(stream),
                 std::make_unique<SinkConversation>(server_of(at, options_), faults(),
                                                    recorder_ ? &*recorder_ : nullptr, counters_, ids_, steady_now()));
  }

  void on_gone() {
    if (recorder_ && recorder_->error()) stop_for_good();
    if (stopping_ && server_.idle()) context_.stop();
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
    server_.stop();
    if (server_.idle()) context_.stop();
  }

  /// What was taken cannot be recorded: then nothing more may be acknowledged.
  void stop_for_good() {
    if (std::exchange(stopping_, true)) return;
    spdlog::error("the record cannot be written: {}", recorder_->error().message());
    server_.close();
    context_.stop();
  }

  const SinkOptions options_;
  std::optional<Recorder> recorder_;
  SinkCounters counters_;
  KnownIds ids_;
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_;
  const base::Time started_;
  Server server_;
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
