#include "input/file_input.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace windlass::input {
namespace {

/// Between two looks at files that change all the time: a writer that writes line by line does not cost a look a line.
constexpr base::Duration breath = std::chrono::milliseconds(10);
constexpr base::Duration poll_interval = std::chrono::milliseconds(250);
/// Directories that come and go again and again do not cost a scan each time.
constexpr base::Duration least_between_scans = std::chrono::milliseconds(200);

}  // namespace

FileInput::FileInput(Registry& registry, LineEncoder& encoder, Publisher& publisher, std::vector<FollowedPaths> inputs,
                     Options options, Notes notes)
    : registry_(registry),
      options_(options),
      notes_(std::move(notes)),
      door_(*this, publisher),
      follower_(
          files_, encoder, door_, std::move(inputs), options.following, [this] { save(); }, notes_),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  for (const auto& [identity, entry] : registry_.entries()) follower_.restore(entry);
  follower_.set_unwatched([this](const std::string& directory) { return !watch_.watches(directory); });
}

FileInput::~FileInput() {
  ::close(wake_);
}

Moment FileInput::now() const {
  using namespace std::chrono;
  return {base::Time(steady_clock::now().time_since_epoch()),
          duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count()};
}

std::error_code FileInput::Door::publish(EventBuffer&& events, std::uint64_t token) {
  input_.unsaved_ = true;
  if (input_.is_time_to_save()) input_.save_in_time();
  return to_.publish(std::move(events), token);
}

bool FileInput::run() {
  base::Time next_scan = now().steady;
  next_save_ = next_scan + options_.flush_interval;
  base::Time next_poll = next_scan;
  while (!stopped_.load() && !follower_.stopped()) {
    const Moment moment = now();
    if (watch_.descriptor() >= 0) tell_changes();
    if (moment.steady >= next_scan) {
      rescan_ = false;
      follower_.scan(moment);
      if (!options_.following.once) {
        watch_.watch(follower_.directories());
        // What came between the scan and the watch is seen by another scan.
        rescan_ = scanned_directories_ != follower_.directories();
        scanned_directories_ = follower_.directories();
      }
      next_scan = moment.steady + (rescan_ ? least_between_scans : options_.check_interval);
    } else if (rescan_) {
      next_scan = std::min(next_scan, moment.steady + least_between_scans);
    }
    if (moment.steady >= next_poll && follower_.wants_poll()) {
      follower_.poll(moment);
      next_poll = moment.steady + poll_interval;
    }

    bool worked = false;
    while (!stopped_.load() && follower_.work(now())) {
      worked = true;
      if (now().steady >= next_save_) break;
    }
    if (is_time_to_save()) {
      save_in_time();
      continue;
    }
    if (!worked && options_.following.once) return true;
    if (worked) {
      unsaved_ = true;
      pollfd stop{wake_, POLLIN, 0};
      ::poll(&stop, 1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(breath).count()));
      continue;
    }
    base::Time until = next_scan;
    if (unsaved_) until = std::min(until, next_save_);
    if (follower_.wants_poll()) until = std::min(until, next_poll);
    sleep(until);
  }
  return options_.following.once && !stopped_.load() && !follower_.stopped();
}

void FileInput::stop() {
  stopped_.store(true);
  eventfd_write(wake_, 1);
}

void FileInput::settle(std::uint64_t token) {
  const std::lock_guard lock(mutex_);
  settled_.push_back(token);
}

bool FileInput::finish() {
  take_settled();
  save();
  return !save_failed_;
}

void FileInput::take_settled() {
  std::vector<std::uint64_t> settled;
  {
    const std::lock_guard lock(mutex_);
    settled.swap(settled_);
  }
  for (const std::uint64_t token : settled) follower_.settle(token);
}

void FileInput::save_in_time() {
  take_settled();
  save();
  next_save_ = now().steady + options_.flush_interval;
}

void FileInput::save() {
  const FileFollower::Changes changes = follower_.take_changes();
  const std::error_code error = registry_.save(changes.changed, changes.removed);
  if (error && !save_failed_)
    notes_({Note::Level::error, fmt::format("positions cannot be saved: {}; until they are, a crash ships again what "
                                            "was delivered since",
                                            error.message())});
  if (!error && save_failed_) notes_({Note::Level::info, "positions are saved again"});
  save_failed_ = static_cast<bool>(error);
  unsaved_ = save_failed_ || follower_.delivering();
}

void FileInput::tell_changes() {
  watch_.take([this](const std::string& path, ChangeWatch::Change change) {
    switch (change) {
      case ChangeWatch::Change::modified:
        return follower_.hint(path, FileFollower::Hint::modified);
      case ChangeWatch::Change::appeared:
        return follower_.hint(path, FileFollower::Hint::appeared);
      case ChangeWatch::Change::disappeared:
        return follower_.hint(path, FileFollower::Hint::disappeared);
      case ChangeWatch::Change::unknown:
        rescan_ = true;
    }
  });
}

/// Until then, or until something happens.
void FileInput::sleep(base::Time until) {
  const auto time = std::chrono::ceil<std::chrono::milliseconds>(until - now().steady).count();
  if (time <= 0) return;
  pollfd descriptors[] = {{wake_, POLLIN, 0}, {watch_.descriptor(), POLLIN, 0}};
  ::poll(descriptors, 2, static_cast<int>(std::min<std::int64_t>(time, 3'600'000)));
}

}  // namespace windlass::input
