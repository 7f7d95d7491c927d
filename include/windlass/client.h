// Windlass: bring your own protocol. A client speaks it over one connection; the balancer owns the client, gives it a
// worker, and decides when it connects, what it sends and when it closes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include <windlass/batch.h>
#include <windlass/result.h>

namespace windlass {

namespace runtime {
class AnswerDoor;
}

/// A client that blocks. The balancer gives it a thread and calls connect, publish and close from that thread alone.
class SyncClient {
 public:
  virtual ~SyncClient() = default;

  /// Opens the connection, within about `timeout`. Called again after each close().
  virtual std::error_code connect(std::chrono::milliseconds timeout) = 0;

  /// Sends the batch and waits for its outcome. An exception counts as PublishResult::failed(errc::connection_lost).
  virtual PublishResult publish(const Batch& batch) = 0;

  /// Closes the connection. May be called when there is none.
  virtual void close() noexcept = 0;

  /// Makes a connect or publish that is under way return soon; close() follows, and never comes at the same time. The
  /// only call from another thread, so the call that it means may have only just begun, or ended just now. A client
  /// that cannot do it is left to finish by itself: its late answer changes nothing, and LoadBalancer::close() does not
  /// wait for it longer than Options::close_grace.
  virtual void interrupt() noexcept {}
};

/// How an asynchronous client tells the balancer about its connection. Copyable; every call may come from any thread
/// and returns at once. Calls that no longer matter (of an earlier connection, after close) change nothing.
class Link {
 public:
  Link() = default;
  Link(std::shared_ptr<runtime::AnswerDoor> door, std::uint32_t worker, std::uint32_t connection)
      : door_(std::move(door)), worker_(worker), connection_(connection) {}

  /// The connection stands: batches may be published.
  void connected() const;
  /// The connection could not be made, or has ended. `detail` is for people, such as "connecting 127.0.0.1:5044:
  /// Connection refused".
  void lost(std::error_code error, std::string detail = {}) const;
  /// The peer gave a sign of life, which holds off the timeout but not the progress deadline.
  void alive() const;

 private:
  std::shared_ptr<runtime::AnswerDoor> door_;
  std::uint32_t worker_ = 0;
  std::uint32_t connection_ = 0;
};

/// How an asynchronous client answers for one batch. Move-only; every call may come from any thread and returns at
/// once. The first finish() counts and later ones change nothing. Dropped without one, it answers errc::abandoned.
class Completion {
 public:
  Completion() = default;
  Completion(std::shared_ptr<runtime::AnswerDoor> door, std::uint64_t attempt)
      : door_(std::move(door)), attempt_(attempt) {}
  Completion(Completion&&) noexcept = default;
  Completion& operator=(Completion&& other) noexcept;
  ~Completion();

  /// The first `count` events are acknowledged so far.
  void progress(std::uint32_t count) const;
  /// The outcome of the batch.
  void finish(PublishResult result);
  /// finish(PublishResult::acked()).
  void acked();
  /// finish(PublishResult::failed(error)).
  void failed(std::error_code error) { finish(PublishResult::failed(error)); }

 private:
  std::shared_ptr<runtime::AnswerDoor> door_;
  std::uint64_t attempt_ = 0;
};

/// A client that calls back. Its member functions are called from the balancer's loop thread and must return at once.
/// An exception from connect or publish counts as the loss of the connection.
class AsyncClient {
 public:
  virtual ~AsyncClient() = default;

  /// Begins to open a connection and answers through `link`, now or later. Called again after each close().
  virtual void connect(Link link, std::chrono::milliseconds timeout) = 0;

  /// Begins to send a batch and answers through `done`, now or later. Further batches may follow before the answer, up
  /// to the worker's window.
  virtual void publish(Batch batch, Completion done) = 0;

  /// Ends the connection, or the attempt to make one. Batches without an answer are sent elsewhere by the balancer.
  virtual void close() noexcept = 0;
};

}  // namespace windlass
