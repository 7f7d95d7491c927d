// Waiting for what other threads do: for conditions, never for time to pass.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace windlass::test {

/// How long a test waits for what must happen. Only a test that fails waits for this long.
inline constexpr std::chrono::seconds patience{60};

/// Closed at first; lets everybody pass once it is open.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  /// False when it stayed closed.
  bool wait() const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return open_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool open_ = false;
};

/// A count that others wait for.
class Count {
 public:
  void add(std::size_t count = 1) {
    const std::lock_guard lock(mutex_);
    value_ += count;
    changed_.notify_all();
  }
  std::size_t value() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  /// False when it stayed below.
  bool wait_for(std::size_t at_least) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return value_ >= at_least; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::size_t value_ = 0;
};

/// Hands things from thread to thread.
template <class T>
class Mailbox {
 public:
  void put(T thing) {
    const std::lock_guard lock(mutex_);
    things_.push_back(std::move(thing));
    changed_.notify_all();
  }
  /// The oldest, once there is one. Throws when there stays none.
  T take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return !things_.empty(); }))
      throw std::runtime_error("nothing came into the mailbox");
    T thing = std::move(things_.front());
    things_.pop_front();
    return thing;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return things_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> things_;
};

/// For conditions that nobody announces: asks again and again. False when it stayed untrue.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace windlass::test
