// Clients of protocols that exist in memory only, written as a user writes them, and what publishers hear.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <windlass/windlass.h>

#include "support/waiting.h"

namespace windlass {

using namespace std::chrono_literals;

/// A client that blocks, told in lambdas.
struct SyncScript {
  std::function<std::error_code(std::chrono::milliseconds timeout)> connect = [](auto) { return std::error_code(); };
  std::function<PublishResult(const Batch&)> publish = [](const Batch&) { return PublishResult::acked(); };
  std::function<void()> close = [] {};
  std::function<void()> interrupt = [] {};
};

class ScriptedSyncClient final : public SyncClient {
 public:
  explicit ScriptedSyncClient(SyncScript script) : script_(std::move(script)) {}
  std::error_code connect(std::chrono::milliseconds timeout) override { return script_.connect(timeout); }
  PublishResult publish(const Batch& batch) override { return script_.publish(batch); }
  void close() noexcept override { script_.close(); }
  void interrupt() noexcept override { script_.interrupt(); }

 private:
  SyncScript script_;
};

/// A client that calls back, told in lambdas.
struct AsyncScript {
  std::function<void(Link)> connect = [](const Link& link) { link.connected(); };
  std::function<void(Batch, Completion)> publish = [](const Batch&, Completion done) { done.acked(); };
  std::function<void()> close = [] {};
};

class ScriptedAsyncClient final : public AsyncClient {
 public:
  explicit ScriptedAsyncClient(AsyncScript script) : script_(std::move(script)) {}
  void connect(Link link, std::chrono::milliseconds) override { script_.connect(std::move(link)); }
  void publish(Batch batch, Completion done) override { script_.publish(std::move(batch), std::move(done)); }
  void close() noexcept override { script_.close(); }

 private:
  AsyncScript script_;
};

/// A worker for each script, which tries again soon.
inline WorkerFactory clients(std::vector<SyncScript> scripts) {
  std::vector<std::unique_ptr<SyncClient>> made;
  for (SyncScript& script : scripts) made.push_back(std::make_unique<ScriptedSyncClient>(std::move(script)));
  return sync_clients(std::move(made), 1ms, 10ms);
}
inline WorkerFactory clients(std::vector<AsyncScript> scripts) {
  std::vector<std::unique_ptr<AsyncClient>> made;
  for (AsyncScript& script : scripts) made.push_back(std::make_unique<ScriptedAsyncClient>(std::move(script)));
  return async_clients(std::move(made), 1ms, 10ms);
}
inline WorkerFactory client(SyncScript script) {
  return clients(std::vector{std::move(script)});
}
inline WorkerFactory client(AsyncScript script) {
  return clients(std::vector{std::move(script)});
}

/// A batch in the hands of an asynchronous client that has not answered yet.
struct Held {
  Batch batch;
  Completion done;
};

/// A client that leaves every answer to the test.
inline AsyncScript holding(test::Mailbox<Held>& held) {
  AsyncScript script;
  script.publish = [&held](Batch batch, Completion done) { held.put({std::move(batch), std::move(done)}); };
  return script;
}

inline std::vector<std::string> texts(const Batch& batch) {
  std::vector<std::string> result;
  for (const std::string_view event : batch) result.emplace_back(event);
  return result;
}

inline EventBuffer events(const std::vector<std::string>& texts) {
  EventBuffer buffer;
  for (const std::string& text : texts) buffer.append(text);
  return buffer;
}

inline EventBuffer numbered_events(std::size_t count) {
  EventBuffer buffer;
  for (std::size_t number = 0; number < count; ++number) buffer.append("event " + std::to_string(number));
  return buffer;
}

/// What publishers hear, publish by publish. Thread-safe.
class Ears {
 public:
  /// The signal of one more publish. Numbers count from 0.
  Signal signal() {
    const std::lock_guard lock(mutex_);
    heard_.emplace_back();
    return [this, number = heard_.size() - 1](const Outcome& outcome) { hear(number, outcome); };
  }

  /// Whether `count` signals came, of however many publishes.
  [[nodiscard]] bool wait_for(std::size_t count) const { return signals_.wait_for(count); }
  std::size_t signals() const { return signals_.value(); }
  std::size_t times(std::size_t publish) const {
    const std::lock_guard lock(mutex_);
    return heard_.at(publish).times;
  }
  /// What was heard last.
  Outcome outcome(std::size_t publish = 0) const {
    const std::lock_guard lock(mutex_);
    return heard_.at(publish).outcome;
  }

 private:
  struct Heard {
    std::size_t times = 0;
    Outcome outcome;
  };

  void hear(std::size_t publish, const Outcome& outcome) {
    {
      const std::lock_guard lock(mutex_);
      ++heard_[publish].times;
      heard_[publish].outcome = outcome;
    }
    signals_.add();
  }

  mutable std::mutex mutex_;
  std::deque<Heard> heard_;
  test::Count signals_;
};

}  // namespace windlass
