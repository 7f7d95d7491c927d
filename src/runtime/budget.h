// The budgets at the publishers' door: what is accepted and not yet settled, in events and in bytes.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <system_error>

namespace windlass::runtime {

/// Thread-safe. Whoever does not fit waits, or is refused; close() refuses everybody, those who wait too. Whoever was
/// woken in vain is promised the room: until there is enough of it, nobody else is let in, so that those who need much
/// do not wait for ever because others, who need less, come at once for each bit of it.
class Budget {
 public:
  /// Limits above most_events and most_bytes are taken for those.
  Budget(std::size_t max_events, std::size_t max_bytes)
      : max_events_(std::min(max_events, most_events)), max_bytes_(std::min(max_bytes, most_bytes)) {}

  /// No error when it was taken; errc::closed, too_large, or queue_full (only when not waiting).
  std::error_code take(std::size_t events, std::size_t bytes, bool wait);
  void give_back(std::size_t events, std::size_t bytes);

  /// Those who wait are woken when a fair part of the budget is free, so that they need not be woken for each event. To
  /// be called when that may not come about: wakes them for whatever room there is.
  void wake_for_any_room();
  void close();
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

 private:
  // Both counts share a word, so that one atomic operation takes from both: events above, bytes below.
  static constexpr unsigned byte_bits = 37;
  static constexpr std::size_t most_events = (std::size_t{1} << (64 - byte_bits)) - 1;
  static constexpr std::size_t most_bytes = (std::size_t{1} << byte_bits) - 1;
  static constexpr std::uint64_t word(std::size_t events, std::size_t bytes) { return events << byte_bits | bytes; }
  static constexpr std::size_t events_of(std::uint64_t word) { return word >> byte_bits; }
  static constexpr std::size_t bytes_of(std::uint64_t word) { return word & most_bytes; }

  bool try_take(std::size_t events, std::size_t bytes);
  std::error_code wait_for_room(std::size_t events, std::size_t bytes);
  void wake();

  const std::size_t max_events_;
  const std::size_t max_bytes_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<bool> closed_{false};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> promised_{false};  ///< the room, to one of those who wait
  std::mutex mutex_;
  std::condition_variable room_;
};

}  // namespace windlass::runtime
