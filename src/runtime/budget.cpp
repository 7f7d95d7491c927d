#include "runtime/budget.h"

#include <windlass/error.h>

namespace windlass::runtime {

std::error_code Budget::take(std::size_t events, std::size_t bytes, bool wait) {
  if (closed()) return errc::closed;
  if (events > max_events_ || bytes > max_bytes_) return errc::too_large;
  if (!promised_.load() && try_take(events, bytes)) return {};
  return wait ? wait_for_room(events, bytes) : make_error_code(errc::queue_full);
}

bool Budget::try_take(std::size_t events, std::size_t bytes) {
  std::uint64_t taken = taken_.load();
  do {
    if (events_of(taken) + events > max_events_ || bytes_of(taken) + bytes > max_bytes_) return false;
  } while (!taken_.compare_exchange_weak(taken, taken + word(events, bytes)));
  return true;
}

std::error_code Budget::wait_for_room(std::size_t events, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  waiting_.fetch_add(1);
  bool taken = false;
  bool mine = false;  // the promise
  const auto take_in_turn = [&] {
    if (promised_.load() && !mine) return false;
    return taken = try_take(events, bytes);
  };
  if (!closed() && !take_in_turn()) {
    room_.wait(lock);
    while (!closed() && !take_in_turn()) {
      if (!promised_.load()) promised_.store(mine = true);
      room_.wait(lock);
    }
  }
  waiting_.fetch_sub(1);
  if (mine) {
    promised_.store(false);
    room_.notify_all();
  }
  if (taken) return {};
  return errc::closed;
}

void Budget::give_back(std::size_t events, std::size_t bytes) {
  const std::uint64_t left = taken_.fetch_sub(word(events, bytes)) - word(events, bytes);
  if (waiting_.load() > 0 && events_of(left) <= max_events_ / 4 * 3 && bytes_of(left) <= max_bytes_ / 4 * 3) wake();
}

void Budget::wake_for_any_room() {
  if (waiting_.load() > 0) wake();
}

void Budget::close() {
  closed_.store(true);
  wake();
}

void Budget::wake() {
  { const std::lock_guard lock(mutex_); }  // whoever has just found no room waits by now
  room_.notify_all();
}

}  // namespace windlass::runtime
