// The queue on disk and its thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <windlass/load_balancer.h>
#include <windlass/statistics.h>

#include "core/action.h"
#include "core/submission.h"
#include "queue/disk_queue.h"
#include "runtime/budget.h"
#include "runtime/inbox.h"
#include "runtime/loop.h"

namespace windlass::runtime {

/// What the core gets when there is a queue on disk. To the core it is signalled event by event, so that the position
/// can follow; what the publisher wants is kept beside.
struct StoredSubmission : core::Submission {
  queue::Sequence first_number = 0;                  ///< of its first event
  core::Signalling wanted = core::Signalling::none;  ///< by the publisher, at the end of delivery
  std::uint32_t unsettled = 0;                       ///< events
};

/// Takes what publishers hand in, stores it, and passes it on to the loop as long as the loop has room; the rest stays
/// on disk and is read when there is. What the loop has settled moves the position.
///
/// One thread of its own does all that touches the disk; the calls below are for the loop's thread, except wake(),
/// which is for any.
class DiskStore {
 public:
  /// Opens the queue. Throws std::system_error where that fails, std::invalid_argument for options that make no sense.
  DiskStore(const LoadBalancerOptions& options, std::shared_ptr<Loop> loop, Inbox& inbox, Budget& budget);
  ~DiskStore();

  /// What a publish may take at most, so that it always finds room on disk once that is empty.
  static std::size_t most_bytes(const LoadBalancerOptions& options);
  static std::size_t most_events(const LoadBalancerOptions& options);

  /// The thread begins.
  void start();
  /// Something was put into the inbox, which was empty.
  void wake();

  /// Whether take() would find something. Sequentially consistent with the thread's additions.
  bool has_news() const { return news_.load(); }
  /// Appends what is to be offered to the core, and the signals that are due.
  void take(std::vector<std::shared_ptr<StoredSubmission>>& stored, std::vector<core::Settled>& signals);

  using Run = std::pair<queue::Sequence, std::uint64_t>;
  /// These events need not be sent again. Leaves `runs` empty.
  void settled(std::vector<Run>& runs);
  /// The core holds so much less.
  void released(std::size_t events, std::size_t bytes);

  /// Stores what is still in the inbox, as far as there is room, saves the position, and ends the thread. Afterwards
  /// take() gives what is left: the signals of those who will not hear of a delivery among them.
  void stop();

  /// These events are being handed in; or they were not, after all. From any thread.
  void published(std::uint64_t events) { published_.fetch_add(events); }
  void not_published(std::uint64_t events) { published_.fetch_sub(events); }
  /// Of everything that was accepted, by this process or by one before it, what has not come to its end.
  std::uint64_t left(const Ledger& of_core) const;
  /// The core's ledger knows only what it was given; what is on disk is queued, and stays so when it is closed.
  void complete(Statistics& of_core) const;

 private:
  using Clock = std::chrono::steady_clock;
  /// Signals that are due later.
  struct Promise {
    core::Signalling wanted = core::Signalling::none;
    std::vector<Signal> signals;
    std::uint32_t events = 0;
  };
  /// On its way to the disk.
  struct Waiting {
    std::shared_ptr<StoredSubmission> submission;  ///< once passed on it is the loop's; its events may still be read
    queue::Sequence first = 0;
    bool passed_on = false;
    Promise at_durable;
    std::size_t at_delivery = 0;  ///< signals
    std::size_t held_events = 0;  ///< of the budget
    std::size_t held_bytes = 0;
  };

  void run();
  void sleep();
  void take_in();
  void apply_settled();
  void write(bool last);
  bool append(Waiting& waiting);
  void became_durable();
  void write_again();
  void pass_on_or_leave(Waiting& waiting);
  void pass_on(std::shared_ptr<StoredSubmission> submission);
  void read();
  void keep_position();
  void finish();
  void break_promises(queue::Sequence below, std::error_code reason);
  void signal(Promise promise, std::error_code reason);
  void publish_figures();
  bool has_window() const {
    return window_events_.load() < most_window_events_ && window_bytes_.load() < most_window_bytes_;
  }

  // Constant after construction.
  const DiskQueueOptions options_;
  const std::size_t most_window_events_;
  const std::size_t most_window_bytes_;
  const std::shared_ptr<Loop> loop_;
  Inbox& inbox_;
  Budget& budget_;
  std::uint64_t recovered_ = 0;
  std::uint64_t damaged_before_ = 0;
  std::uint64_t unfinished_before_ = 0;

  // Shared.
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> news_{false};
  std::atomic<bool> wants_window_{false};
  std::atomic<std::size_t> window_events_{0};  ///< in the hands of the loop
  std::atomic<std::size_t> window_bytes_{0};
  // Events.
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> damaged_{0};
  std::atomic<std::uint64_t> unreadable_{0};  ///< of the recovered ones: damaged or unfinished
  std::atomic<std::uint64_t> not_stored_{0};  ///< handed in too late, when there was no room
  /// Appended a second time, as a sync had failed, when they had been passed on already.
  std::atomic<std::uint64_t> copied_{0};

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<std::shared_ptr<StoredSubmission>> stored_;  ///< for the loop
  std::vector<core::Settled> signals_;                     ///< for the loop
  std::vector<Run> runs_;                                  ///< from the loop
  DiskQueueStatistics figures_;

  // Of the thread.
  std::unique_ptr<queue::DiskQueue> queue_;
  std::vector<std::shared_ptr<core::Submission>> taken_;
  std::deque<Waiting> waiting_;                  ///< to be appended
  std::vector<Waiting> group_;                   ///< appended, not yet synced
  std::map<queue::Sequence, Promise> promises_;  ///< signals of what was left on disk
  std::vector<Run> to_settle_;
  Clock::time_point sync_due_{};
  Clock::time_point position_written_{};
  Clock::time_point position_synced_{};
  bool position_unsynced_ = false;
  bool full_ = false;
  std::error_code error_;
  std::uint64_t syncs_ = 0;

  std::thread thread_;
};

}  // namespace windlass::runtime
