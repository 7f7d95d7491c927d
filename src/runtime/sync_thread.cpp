#include "runtime/sync_thread.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace windlass::runtime {

struct SyncThread::Shared {
  struct ConnectCall {
    core::ConnectionId connection;
    std::chrono::milliseconds timeout;
  };
  struct PublishCall {
    core::AttemptId attempt;
    Batch batch;
  };

  std::unique_ptr<SyncClient> client;
  std::shared_ptr<AnswerDoor> door;

  std::mutex mutex;
  std::condition_variable changed;
  // One place for each kind of call: the balancer asks for one at a time.
  std::optional<ConnectCall> connect;
  std::optional<PublishCall> publish;
  std::optional<core::ConnectionId> close;
  bool stopping = false;
  bool busy = false;  ///< inside connect or publish
  bool ended = false;
};

SyncThread::SyncThread(std::unique_ptr<SyncClient> client, std::shared_ptr<AnswerDoor> door)
    : shared_(std::make_shared<Shared>()) {
  shared_->client = std::move(client);
  shared_->door = std::move(door);
  thread_ = std::thread([shared = shared_] { run(shared); });
}

SyncThread::~SyncThread() {
  if (!thread_.joinable()) return;
  stop();
  finish(std::chrono::steady_clock::now());
}

void SyncThread::connect(core::ConnectionId connection, std::chrono::milliseconds timeout) {
  const std::lock_guard lock(shared_->mutex);
  shared_->connect = {connection, timeout};
  shared_->changed.notify_all();
}

void SyncThread::publish(core::AttemptId attempt, Batch batch) {
  const std::lock_guard lock(shared_->mutex);
  shared_->publish = {attempt, std::move(batch)};
  shared_->changed.notify_all();
}

void SyncThread::close(core::ConnectionId connection) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->connect.reset();
    shared_->publish.reset();
    shared_->close = connection;
    shared_->changed.notify_all();
  }
  interrupt_if_busy();
}

void SyncThread::stop() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_all();
  }
  interrupt_if_busy();
}

void SyncThread::interrupt_if_busy() {
  // Under the lock, so that the client's thread does not go on to close() meanwhile: what is interrupted must not be
  // closed, and its descriptor given to another, between the look and the deed.
  const std::lock_guard lock(shared_->mutex);
  if (shared_->busy) shared_->client->interrupt();
}

bool SyncThread::has_ended() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->ended;
}

void SyncThread::finish(std::chrono::steady_clock::time_point deadline) {
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_until(lock, deadline, [&] { return shared_->ended; });
    if (!shared_->ended) {
      thread_.detach();
      return;
    }
  }
  thread_.join();
}

void SyncThread::run(const std::shared_ptr<Shared>& shared) {
  SyncClient& client = *shared->client;
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->changed.wait(lock, [&] { return shared->stopping || shared->close || shared->connect || shared->publish; });
    if (shared->stopping || shared->close) {
      const auto connection = std::exchange(shared->close, std::nullopt);
      const bool last = shared->stopping;
      lock.unlock();
      client.close();
      if (connection) shared->door->post(Disconnected{*connection});
      lock.lock();
      if (last) break;
    } else if (shared->connect) {
      const auto call = *std::exchange(shared->connect, std::nullopt);
      shared->busy = true;
      lock.unlock();
      std::error_code error;
      try {
        error = client.connect(call.timeout);
      } catch (...) {
        error = errc::connect_failed;
      }
      if (error) {
        shared->door->post(Lost{call.connection, error, {}});
      } else {
        shared->door->post(Connected{call.connection});
      }
      lock.lock();
      shared->busy = false;
    } else {
      auto call = *std::exchange(shared->publish, std::nullopt);
      shared->busy = true;
      lock.unlock();
      PublishResult result;
      try {
        result = client.publish(call.batch);
      } catch (...) {
        result = PublishResult::failed(errc::connection_lost);
      }
      call.batch = Batch();  // not kept alive while waiting
      shared->door->post(Finished{call.attempt, std::move(result)});
      lock.lock();
      shared->busy = false;
    }
  }
  shared->ended = true;
  shared->changed.notify_all();
}

}  // namespace windlass::runtime
