// Windlass: the balancer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <windlass/batch.h>
#include <windlass/dead_letter.h>
#include <windlass/event_buffer.h>
#include <windlass/signal.h>
#include <windlass/statistics.h>
#include <windlass/workers.h>

namespace windlass {

/// Something that happened to a connection.
struct ConnectionEvent {
  std::string endpoint;
  bool connected = false;  ///< made; else it could not be made, or was lost
  std::error_code error;   ///< why it was lost
  std::string detail;      ///< the same for people, where the client knows more
};

/// What an endpoint said of events that it did not take.
struct Refusal {
  std::string endpoint;
  std::size_t events = 0;  ///< how many of a batch it said something about; 0: the batch as a whole
  std::error_code error;   ///< of the first of them
  std::string detail;      ///< the same in the endpoint's own words
};

/// A queue on disk: what is accepted outlives the process, and the system where `sync` says so.
struct DiskQueueOptions {
  /// A directory for this balancer alone. Made where it does not exist.
  std::string path;
  /// Bytes of everything that is stored. A publish waits for room beyond that. At least 1 MiB.
  std::uint64_t max_size = std::uint64_t{10} << 30;
  /// Bytes of one file; it is removed when everything in it is delivered. 0: a tenth of max_size, at most 64 MiB.
  std::uint64_t segment_size = 0;
  /// When what was written is synced, and so outlives a crash of the system. A crash of the process loses nothing that
  /// was written, whatever this is.
  enum class Sync {
    every_batch,    ///< before it counts as durable and is sent; publishes that come meanwhile share the next sync
    interval,       ///< every sync_interval; it counts as durable afterwards, and is sent at once
    left_to_system  ///< never; it counts as durable when it is written
  } sync = Sync::every_batch;
  std::chrono::nanoseconds sync_interval = std::chrono::seconds(1);

  friend bool operator==(const DiskQueueOptions&, const DiskQueueOptions&) = default;
};

struct LoadBalancerOptions {
  // Affects what is delivered.
  /// Sends after the first one, before an event is dropped; negative: without end.
  int max_retries = 3;
  /// Every publish is retried without end (see PublishOptions::guaranteed for a single one).
  bool guaranteed = false;
  /// For a connect, for a sign of life while something is in flight, and for the wait in the queue while nothing at
  /// all is drawn, which costs one attempt each time that it passes.
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  /// For an acknowledgement that gets somewhere, however alive the peer is.
  std::chrono::nanoseconds progress_timeout = std::chrono::minutes(5);
  /// Hears of each event that an endpoint rejected for good, and of each that is undeliverable, guaranteed ones too,
  /// from the loop thread, before the event's signal. Without it, rejected events are dropped, with the reason
  /// `rejected`, and undeliverable ones are sent until their attempts are used up; guaranteed ones without end.
  std::function<void(const DeadLetter& letter)> dead_letter;

  /// Hears of connections that are made and lost, from the loop thread.
  std::function<void(const ConnectionEvent&)> on_connection;
  /// Hears of batches of which something was not taken, where the client knows more than a code; from the loop thread.
  std::function<void(const Refusal&)> on_refusal;

  /// A batch that is overdue by what its connection usually takes is sent over another one as well, when that would
  /// have nothing to do; whichever is first counts. Events sent twice for that are at most this share of those
  /// acknowledged (0.01: one in a hundred), and 32. 0: never. Needs windows that adapt.
  double max_duplicates = 0;

  /// Stores what is accepted before it is sent, and what is left there at the end is sent by the next balancer with the
  /// same path. The budgets below then bound what is in memory: what waits to be stored, and what is being sent.
  std::optional<DiskQueueOptions> disk_queue;

  // Affects performance and memory.
  /// Budgets for what is accepted and not yet signalled. A publish waits for room, or is refused. More than 134 million
  /// events, or 137 GB, is taken for that.
  std::size_t queue_events = 65536;
  std::size_t queue_bytes = std::size_t{32} << 20;
  /// The most that one batch holds.
  std::uint32_t bulk_max_events = 2048;
  std::size_t bulk_max_bytes = std::size_t{1} << 20;
  /// Batches in flight on one asynchronous connection at most; a synchronous client has one. Within this bound every
  /// worker's window adapts to what its endpoint and its line can take.
  unsigned pipelining = 64;
  /// There may be no workers to begin with: add_workers brings them.
  bool may_begin_empty = false;
  /// Windows do not adapt, but stay at `pipelining`, and a batch goes to whoever has least in flight.
  bool fixed_windows = false;
  /// How long close() waits for synchronous clients that are inside connect or publish.
  std::chrono::nanoseconds close_grace = std::chrono::seconds(1);
  /// Seed of what is random (jitter); 0: from the system.
  std::uint64_t seed = 0;
};

struct PublishOptions {
  /// Retried without end, whatever max_retries says.
  bool guaranteed = false;
  /// When the signal comes: once every event has been delivered (or has failed), or as soon as the queue on disk has
  /// made them durable. Without a queue on disk it is always `delivered`.
  enum class SignalAt { delivered, durable } signal_at = SignalAt::delivered;
};

/// Balances the sending of events between multiple connections. Work waits in one queue; every connection draws from it
/// at the pace that it can take; what fails is sent again, elsewhere where possible.
///
/// Thread-safe: any thread may publish, from signals too. One thread of the balancer's own runs everything else.
class LoadBalancer {
 public:
  using Options = LoadBalancerOptions;

  /// Makes the workers and starts. Throws std::system_error(errc::no_workers_configured) when there are none and
  /// may_begin_empty is not set,
  /// std::invalid_argument when one has no client or an option makes no sense, what the factory throws, and
  /// std::system_error when the queue on disk cannot be opened (errc::queue_in_use when somebody else has it).
  explicit LoadBalancer(WorkerFactory workers) : LoadBalancer(std::move(workers), Options()) {}
  LoadBalancer(WorkerFactory workers, Options options);
  /// Closes. Not to be run from a signal.
  ~LoadBalancer();
  LoadBalancer(const LoadBalancer&) = delete;
  LoadBalancer& operator=(const LoadBalancer&) = delete;

  /// Forwards the event to some worker. Copies it. Waits while the queue is full; from a signal it refuses instead.
  /// No error: accepted, and `signal` will be called exactly once. An error: refused, and it will not be called.
  std::error_code publish_event(std::string_view event, Signal signal = {}, PublishOptions options = {});
  /// As publish_event, but refuses with errc::queue_full instead of waiting.
  std::error_code try_publish_event(std::string_view event, Signal signal = {}, PublishOptions options = {});

  /// Forwards the events; they may travel in several batches, over several connections. One signal for all of them.
  /// Takes the events; refused ones are left with the caller.
  std::error_code publish_events(EventBuffer&& events, Signal signal = {}, PublishOptions options = {});
  std::error_code try_publish_events(EventBuffer&& events, Signal signal = {}, PublishOptions options = {});

  /// Workers join while work goes on. Returns at once. Throws std::invalid_argument when one has no client, and what
  /// the factory throws, which is called here.
  void add_workers(std::vector<Worker> workers);
  void add_workers(const WorkerFactory& workers);
  /// The workers of the endpoint of this name leave: they draw no more, finish what they have in flight, at the latest
  /// `within` this time, and disconnect; what is not finished by then is sent elsewhere. Returns at once. When the last
  /// worker has left, work waits until one joins.
  void remove_workers(std::string endpoint, std::chrono::nanoseconds within);

  /// Refuses new events from now on, finishes the accepted ones, then closes. At the deadline what is left is signalled
  /// as failed (and stays in the queue on disk, where there is one). True when nothing was left. Not to be called from
  /// a signal.
  bool drain(std::chrono::nanoseconds deadline);

  /// Stops all workers and closes all connections. What is queued or in flight is signalled as failed (errc::closed)
  /// before this returns. A second call changes nothing.
  void close();

  /// What is going on, consistent in itself. After close() it is the final state.
  Statistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass
