#include "runtime/inbox.h"

#include <utility>

#include <windlass/error.h>

namespace windlass::runtime {
namespace {

constexpr std::size_t max_pooled = 256;
constexpr std::size_t max_pooled_bytes = std::size_t{512} << 10;

}  // namespace

std::shared_ptr<core::Submission> Inbox::Pool::take() {
  std::unique_ptr<core::Submission> submission;
  {
    const std::lock_guard lock(shelf_->mutex);
    if (!shelf_->submissions.empty()) {
      submission = std::move(shelf_->submissions.back());
      shelf_->submissions.pop_back();
    }
  }
  if (!submission) submission = std::make_unique<core::Submission>();
  // The last reader, in whatever thread, puts it back; one that outlives the inbox keeps the shelf.
  const auto put_back = [shelf = shelf_](core::Submission* used) {
    std::unique_ptr<core::Submission> owned(used);
    if (owned->capacity() > max_pooled_bytes) return;
    owned->clear();
    owned->signals.clear();
    const std::lock_guard lock(shelf->mutex);
    if (shelf->submissions.size() < max_pooled) shelf->submissions.push_back(std::move(owned));
  };
  return {submission.release(), put_back};
}

Inbox::Shard& Inbox::shard_of_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return shards_[mine % shard_count];
}

bool Inbox::announce(Shard& shard) {
  // Only the first addition after a take announces itself: the later ones find that it is done.
  if (shard.filled.load(std::memory_order_relaxed)) return false;
  shard.filled.store(true);
  return true;
}

std::error_code Inbox::add_event(std::string_view event, Signal&& signal, bool guaranteed, bool& was_empty,
                                 bool at_durable) {
  Shard& shard = shard_of_thread();
  const std::lock_guard lock(shard.lock);
  if (shard.closed) return errc::closed;
  const auto signalling = signal ? core::Signalling::each : core::Signalling::none;
  core::Submission* open = shard.open.get();
  if (open && (open->guaranteed != guaranteed || open->signalling != signalling ||
               open->signal_at_durable != at_durable || open->bytes() >= open_bytes)) {
    shard.ready.push_back(std::move(shard.open));
    open = nullptr;
  }
  if (!open) {
    shard.open = pool_.take();
    open = shard.open.get();
    open->guaranteed = guaranteed;
    open->signalling = signalling;
    open->signal_at_durable = at_durable;
  }
  open->append(event);
  if (signal) open->signals.push_back(std::move(signal));
  was_empty = announce(shard);
  return {};
}

std::error_code Inbox::add_events(EventBuffer&& events, Signal&& signal, bool guaranteed, bool& was_empty,
                                  bool at_durable) {
  Shard& shard = shard_of_thread();
  const std::lock_guard lock(shard.lock);
  if (shard.closed) return errc::closed;
  auto submission = std::make_shared<core::Submission>();
  static_cast<EventBuffer&>(*submission) = std::move(events);
  submission->guaranteed = guaranteed;
  submission->signal_at_durable = at_durable;
  if (signal) {
    submission->signalling = core::Signalling::all;
    submission->signals.push_back(std::move(signal));
  }
  // What this thread published before comes before.
  if (shard.open) shard.ready.push_back(std::move(shard.open));
  shard.ready.push_back(std::move(submission));
  was_empty = announce(shard);
  return {};
}

bool Inbox::empty() const {
  for (const Shard& shard : shards_)
    if (shard.filled.load()) return false;
  return true;
}

void Inbox::take(std::vector<std::shared_ptr<core::Submission>>& submissions) {
  for (Shard& shard : shards_) {
    if (!shard.filled.load(std::memory_order_relaxed)) continue;
    const std::lock_guard lock(shard.lock);
    shard.filled.store(false, std::memory_order_relaxed);
    for (auto& submission : shard.ready) submissions.push_back(std::move(submission));
    shard.ready.clear();
    if (shard.open) submissions.push_back(std::move(shard.open));
  }
}

void Inbox::close() {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.lock);
    shard.closed = true;
  }
}

}  // namespace windlass::runtime
