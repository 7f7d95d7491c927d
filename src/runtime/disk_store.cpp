#include "runtime/disk_store.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/assert.h"
#include "queue/directory.h"

namespace windlass::runtime {
namespace {

using std::chrono::milliseconds;

/// What was settled since is sent again after a crash of the process, or of the system.
constexpr milliseconds write_position_every{100};
constexpr milliseconds sync_position_every{1000};
/// While publishers wait for room, or the disk fails.
constexpr milliseconds look_for_room_every{10};
constexpr milliseconds try_again_after{200};

constexpr std::uint64_t least_max_size = std::uint64_t{1} << 20;
constexpr std::uint64_t most_segment_size = std::uint64_t{64} << 20;

queue::DiskQueue::Options queue_options(const DiskQueueOptions& options) {
  queue::DiskQueue::Options result;
  if (options.path.empty()) throw std::invalid_argument("the queue on disk has no path");
  if (options.max_size < least_max_size) throw std::invalid_argument("the queue on disk is smaller than 1 MiB");
  if (options.segment_size > options.max_size / 2)
    throw std::invalid_argument("a segment of the queue on disk is larger than half of the queue");
  result.max_size = options.max_size;
  result.segment_size =
      options.segment_size != 0 ? options.segment_size : std::min(options.max_size / 10, most_segment_size);
  return result;
}

std::unique_ptr<queue::DiskQueue> open_queue(const DiskQueueOptions& options) {
  const queue::DiskQueue::Options how = queue_options(options);
  std::unique_ptr<queue::Directory> directory;
  const std::string what = "queue on disk, " + options.path;
  if (const auto error = queue::Directory::open(options.path, true, directory)) throw std::system_error(error, what);
  std::unique_ptr<queue::DiskQueue> queue;
  if (const auto error = queue::DiskQueue::open(std::move(directory), how, queue)) throw std::system_error(error, what);
  return queue;
}

}  // namespace

std::size_t DiskStore::most_bytes(const LoadBalancerOptions& options) {
  return std::min<std::uint64_t>(
      {options.queue_bytes, options.disk_queue->max_size / 2, std::numeric_limits<std::uint32_t>::max() / 2});
}

std::size_t DiskStore::most_events(const LoadBalancerOptions& options) {
  return std::min<std::uint64_t>(options.queue_events, options.disk_queue->max_size / 16);
}

DiskStore::DiskStore(const LoadBalancerOptions& options, std::shared_ptr<Loop> loop, Inbox& inbox, Budget& budget)
    : options_(*options.disk_queue),
      most_window_events_(options.queue_events),
      most_window_bytes_(options.queue_bytes),
      loop_(std::move(loop)),
      inbox_(inbox),
      budget_(budget),
      queue_(open_queue(options_)) {
  recovered_ = queue_->events();
  damaged_before_ = queue_->damaged_events();
  unfinished_before_ = queue_->unfinished_events();
  damaged_.store(damaged_before_);
  publish_figures();
}

DiskStore::~DiskStore() {
  stop();
}

// ---- the loop's thread

void DiskStore::start() {
  thread_ = std::thread([this] { run(); });
}

void DiskStore::wake() {
  if (!sleeping_.load() || !sleeping_.exchange(false)) return;
  { const std::lock_guard lock(mutex_); }  // whoever is about to sleep does so by now
  woken_.notify_one();
}

void DiskStore::take(std::vector<std::shared_ptr<StoredSubmission>>& stored, std::vector<core::Settled>& signals) {
  const std::lock_guard lock(mutex_);
  news_.store(false);
  std::move(stored_.begin(), stored_.end(), std::back_inserter(stored));
  std::move(signals_.begin(), signals_.end(), std::back_inserter(signals));
  stored_.clear();
  signals_.clear();
}

void DiskStore::settled(std::vector<Run>& runs) {
  if (runs.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    runs_.insert(runs_.end(), runs.begin(), runs.end());
  }
  runs.clear();
}

void DiskStore::released(std::size_t events, std::size_t bytes) {
  const std::size_t events_left = window_events_.fetch_sub(events) - events;
  const std::size_t bytes_left = window_bytes_.fetch_sub(bytes) - bytes;
  // Not for each event that is done, but when a fair part of the window is free.
  if (events_left > most_window_events_ / 4 * 3 || bytes_left > most_window_bytes_ / 4 * 3) return;
  if (wants_window_.load() && wants_window_.exchange(false)) wake();
}

void DiskStore::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  {
    const std::lock_guard lock(mutex_);
    sleeping_.store(false);
  }
  woken_.notify_one();
  thread_.join();
}

std::uint64_t DiskStore::left(const Ledger& of_core) const {
  const std::uint64_t ended = of_core.acked + of_core.dropped_total() + of_core.dead_lettered;
  return recovered_ + published_.load() + copied_.load() - unreadable_.load() - ended;
}

void DiskStore::complete(Statistics& of_core) const {
  const std::uint64_t damaged = damaged_.load();
  {
    const std::lock_guard lock(mutex_);
    of_core.disk = figures_;
  }
  of_core.disk->damaged = damaged;
  Ledger& ledger = of_core.ledger;
  ledger.dropped.erase(errc::closed);
  if (not_stored_.load() > 0) ledger.dropped[errc::closed] = not_stored_.load();
  if (damaged > 0) ledger.dropped[errc::damaged] = damaged;
  const std::uint64_t unfinished = unreadable_.load() - (damaged - damaged_before_);
  ledger.accepted = recovered_ + damaged_before_ + copied_.load() + published_.load() - unfinished;
  ledger.queued = ledger.accepted - ledger.acked - ledger.dropped_total() - ledger.dead_lettered - ledger.in_flight;
}

// ---- its thread

void DiskStore::run() {
  while (!stopping_.load()) {
    apply_settled();
    take_in();
    write(false);
    read();
    keep_position();
    publish_figures();
    sleep();
  }
  finish();
}

void DiskStore::sleep() {
  const auto now = Clock::now();
  auto until = Clock::time_point::max();
  const auto not_later_than = [&](Clock::duration from_now) { until = std::min(until, now + from_now); };
  if (!waiting_.empty()) not_later_than(error_ ? try_again_after : look_for_room_every);
  if (!group_.empty()) until = std::min(until, sync_due_);
  if (window_events_.load() > 0 || queue_->position_is_stale()) not_later_than(write_position_every);
  if (position_unsynced_) not_later_than(sync_position_every);

  sleeping_.store(true);
  const bool something_came = waiting_.empty() && !inbox_.empty();
  const bool can_read = queue_->has_unread() && has_window();
  if (something_came || can_read || stopping_.load()) {
    sleeping_.store(false);
    return;
  }
  budget_.wake_for_any_room();
  std::unique_lock lock(mutex_);
  const auto woken = [&] { return !sleeping_.load() || stopping_.load(); };
  if (until == Clock::time_point::max()) {
    woken_.wait(lock, woken);
  } else {
    woken_.wait_until(lock, until, woken);
  }
  sleeping_.store(false);
}

/// While some wait for room, the rest stays in the inbox, and publishers wait for their budget.
void DiskStore::take_in() {
  if (!waiting_.empty()) return;
  inbox_.take(taken_);
  for (const auto& submission : taken_) {
    Waiting waiting;
    waiting.held_events = submission->size();
    waiting.held_bytes = submission->bytes();
    const auto events = static_cast<std::uint32_t>(submission->size());
    const auto stored = std::make_shared<StoredSubmission>();
    static_cast<EventBuffer&>(*stored) = std::move(static_cast<EventBuffer&>(*submission));
    stored->guaranteed = submission->guaranteed;
    stored->signalling = core::Signalling::each;
    stored->unsettled = events;
    if (submission->signal_at_durable) {
      waiting.at_durable = {submission->signalling, std::move(submission->signals), events};
    } else {
      stored->wanted = submission->signalling;
      stored->signals = std::move(submission->signals);
      waiting.at_delivery = stored->signals.size();
    }
    waiting.submission = stored;
    waiting_.push_back(std::move(waiting));
  }
  taken_.clear();
}

void DiskStore::apply_settled() {
  {
    const std::lock_guard lock(mutex_);
    to_settle_.swap(runs_);
  }
  for (const auto& [first, count] : to_settle_) queue_->ack(first, count);
  to_settle_.clear();
  if (!queue_->has_done()) return;
  if (const auto error = queue_->remove_done()) error_ = error;
}

void DiskStore::write(bool last) {
  const bool waits_for_sync = options_.sync == DiskQueueOptions::Sync::every_batch;
  while (!waiting_.empty() && append(waiting_.front())) {
    if (group_.empty()) sync_due_ = Clock::now() + options_.sync_interval;
    group_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (!waits_for_sync) pass_on_or_leave(group_.back());
  }
  if (group_.empty()) return;
  if (options_.sync == DiskQueueOptions::Sync::interval && !last && Clock::now() < sync_due_) return;
  if (options_.sync != DiskQueueOptions::Sync::left_to_system) {
    ++syncs_;
    if (const auto error = queue_->sync()) {
      error_ = error;
      return write_again();
    }
  }
  became_durable();
}

bool DiskStore::append(Waiting& waiting) {
  StoredSubmission& submission = *waiting.submission;
  std::error_code error = queue_->append(submission, submission.guaranteed, waiting.first);
  if (error == errc::queue_full || error == std::errc::no_space_on_device) {
    const std::uint64_t before = queue_->bytes();
    queue_->remove_done(true);
    if (queue_->bytes() < before) error = queue_->append(submission, submission.guaranteed, waiting.first);
  }
  WINDLASS_ASSERT(error != errc::too_large);  // the budget is smaller
  full_ = error == errc::queue_full;
  error_ = full_ ? std::error_code() : error;
  submission.first_number = waiting.first;
  return !error;
}

void DiskStore::became_durable() {
  for (Waiting& durable : group_) {
    if (durable.at_durable.wanted != core::Signalling::none) signal(std::move(durable.at_durable), {});
    // Who waits for a delivery keeps room for the signal, so that there is a bound for those in memory.
    budget_.give_back(durable.held_events - durable.at_delivery, durable.held_bytes);
    if (options_.sync == DiskQueueOptions::Sync::every_batch) pass_on_or_leave(durable);
  }
  group_.clear();
}

/// The queue has forgotten the group. It is appended once more, from memory; what was passed on already is sent twice.
void DiskStore::write_again() {
  for (auto entry = group_.rbegin(); entry != group_.rend(); ++entry) {
    if (entry->passed_on) {
      const auto copy = std::make_shared<StoredSubmission>();
      for (std::size_t index = 0; index < entry->submission->size(); ++index) copy->append((*entry->submission)[index]);
      copy->guaranteed = entry->submission->guaranteed;
      copy->signalling = core::Signalling::each;
      copy->unsettled = static_cast<std::uint32_t>(copy->size());
      entry->submission = copy;
      entry->passed_on = false;
      copied_.fetch_add(copy->size());
    } else if (const auto promise = promises_.find(entry->first); promise != promises_.end()) {
      entry->submission->signals = std::move(promise->second.signals);
      promises_.erase(promise);
    }
    waiting_.push_front(std::move(*entry));
  }
  group_.clear();
}

/// To the loop, when it has room and has everything before; else it is read later.
void DiskStore::pass_on_or_leave(Waiting& waiting) {
  StoredSubmission& submission = *waiting.submission;
  const auto events = static_cast<std::uint32_t>(submission.size());
  if (queue_->reading() == waiting.first && has_window()) {
    queue_->pass(waiting.first + events);
    waiting.passed_on = true;
    pass_on(waiting.submission);
  } else if (!submission.signals.empty()) {
    promises_[waiting.first] = {submission.wanted, std::move(submission.signals), events};
  }
}

void DiskStore::pass_on(std::shared_ptr<StoredSubmission> submission) {
  window_events_.fetch_add(submission->size());
  window_bytes_.fetch_add(submission->bytes());
  {
    const std::lock_guard lock(mutex_);
    stored_.push_back(std::move(submission));
    news_.store(true);
  }
  loop_->wake();
}

void DiskStore::read() {
  while (queue_->has_unread() && has_window()) {
    queue::DiskQueue::Stored stored;
    const bool found = queue_->read(stored);
    damaged_.store(queue_->damaged_events());
    unreadable_.store(queue_->damaged_events() - damaged_before_ + queue_->unfinished_events() - unfinished_before_);
    break_promises(found ? stored.first : queue_->reading(), errc::damaged);
    if (!found) {
      news_.store(true);  // the loop may have waited for what was lost
      loop_->wake();
      break;
    }
    const auto submission = std::make_shared<StoredSubmission>();
    static_cast<EventBuffer&>(*submission) = std::move(stored.events);
    submission->guaranteed = stored.guaranteed;
    submission->signalling = core::Signalling::each;
    submission->first_number = stored.first;
    submission->unsettled = static_cast<std::uint32_t>(submission->size());
    if (const auto promise = promises_.find(stored.first); promise != promises_.end()) {
      submission->wanted = promise->second.wanted;
      submission->signals = std::move(promise->second.signals);
      promises_.erase(promise);
    }
    pass_on(submission);
  }
  if (queue_->has_unread()) wants_window_.store(true);
}

void DiskStore::break_promises(queue::Sequence below, std::error_code reason) {
  while (!promises_.empty() && promises_.begin()->first < below) {
    Promise promise = std::move(promises_.begin()->second);
    promises_.erase(promises_.begin());
    budget_.give_back(promise.signals.size(), 0);
    signal(std::move(promise), reason);
  }
}

void DiskStore::signal(Promise promise, std::error_code reason) {
  const auto echo = std::make_shared<core::Submission>();
  echo->signalling = promise.wanted;
  echo->signals = std::move(promise.signals);
  (reason ? echo->failed : echo->acked) = promise.events;
  {
    const std::lock_guard lock(mutex_);
    signals_.push_back({echo, 0, promise.events, reason});
    news_.store(true);
  }
  loop_->wake();
}

void DiskStore::keep_position() {
  const auto now = Clock::now();
  std::error_code error;
  if (queue_->position_is_stale() && now - position_written_ >= write_position_every) {
    error = queue_->save_position(false);
    position_written_ = now;
    position_unsynced_ = true;
  }
  if (!error && position_unsynced_ && now - position_synced_ >= sync_position_every) {
    error = queue_->save_position(true);
    position_synced_ = now;
    position_unsynced_ = false;
  }
  if (error) error_ = error;
}

void DiskStore::finish() {
  apply_settled();
  write(true);  // what did not find room before
  take_in();
  write(true);
  if (!waiting_.empty()) {
    // Nor is there any now, so what is still in the inbox finds none either.
    std::deque<Waiting> without_room;
    without_room.swap(waiting_);
    take_in();
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(without_room));
    waiting_.clear();
    for (Waiting& waiting : without_room) {
      const auto events = static_cast<std::uint32_t>(waiting.submission->size());
      not_stored_.fetch_add(events);
      if (waiting.at_durable.wanted != core::Signalling::none) signal(std::move(waiting.at_durable), errc::closed);
      if (waiting.submission->wanted != core::Signalling::none)
        signal({waiting.submission->wanted, std::move(waiting.submission->signals), events}, errc::closed);
    }
  }
  break_promises(std::numeric_limits<queue::Sequence>::max(), errc::closed);
  queue_->remove_done(true);
  if (const auto error = queue_->save_position(true)) error_ = error;
  publish_figures();
  queue_.reset();
}

void DiskStore::publish_figures() {
  DiskQueueStatistics figures;
  figures.events = queue_->events();
  figures.bytes = queue_->bytes();
  figures.max_bytes = options_.max_size;
  figures.segments = queue_->segments();
  figures.syncs = syncs_;
  figures.recovered = recovered_;
  figures.damaged = queue_->damaged_events();
  figures.unfinished = queue_->unfinished_events();
  figures.kept_bytes = queue_->kept_bytes();
  figures.full = full_ && !waiting_.empty();
  figures.error = error_;
  const std::lock_guard lock(mutex_);
  // Damage is told once, and seldom: the texts are made only when there is more of it.
  if (figures_.damage.size() < queue_->damage().size())
    for (std::size_t index = figures_.damage.size(); index < queue_->damage().size(); ++index)
      figures_.damage.push_back(queue::to_string(queue_->damage()[index]));
  figures.damage = std::move(figures_.damage);
  figures_ = std::move(figures);
}

}  // namespace windlass::runtime
