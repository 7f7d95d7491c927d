// The publishers' door into the loop.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <vector>

#include <windlass/event_buffer.h>
#include <windlass/signal.h>

#include "core/submission.h"
#include "runtime/spin_lock.h"

namespace windlass::runtime {

/// Takes events from any number of threads and gives them to the loop as submissions. Single events are gathered: they
/// are copied behind one another into an open submission, which the loop takes as soon as it comes by; so an event
/// costs no allocation, and waits for nobody. Each thread has its own shard (up to the number of shards), so that
/// publishers do not meet at one lock. Bounded by the Budget, from which room is taken before.
class Inbox {
 public:
  /// Both answer errc::closed after close(). `events` is left alone then.
  std::error_code add_event(std::string_view event, Signal&& signal, bool guaranteed, bool& was_empty,
                            bool at_durable = false);
  std::error_code add_events(EventBuffer&& events, Signal&& signal, bool guaranteed, bool& was_empty,
                             bool at_durable = false);

  /// For the loop: whether take() would find something. Sequentially consistent with the additions.
  bool empty() const;
  /// For the loop: appends what has come in.
  void take(std::vector<std::shared_ptr<core::Submission>>& submissions);
  /// Nothing comes in any more; what has come in can still be taken.
  void close();

 private:
  static constexpr std::size_t shard_count = 16;
  /// An open submission is handed on when it has grown to this.
  static constexpr std::size_t open_bytes = std::size_t{128} << 10;

  struct alignas(64) Shard {
    SpinLock lock;
    std::vector<std::shared_ptr<core::Submission>> ready;
    std::shared_ptr<core::Submission> open;  ///< single events, still growing
    bool closed = false;
    std::atomic<bool> filled{false};
  };

  Shard& shard_of_thread();
  static bool announce(Shard& shard);

  std::array<Shard, shard_count> shards_;

  /// Submissions whose events are all settled and that nobody reads any more, to be filled again.
  class Pool {
   public:
    std::shared_ptr<core::Submission> take();

   private:
    struct Shelf {
      std::mutex mutex;
      std::vector<std::unique_ptr<core::Submission>> submissions;
    };
    std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
  };
  Pool pool_;
};

}  // namespace windlass::runtime
