#include "input/file_follower.h"

#include <algorithm>
#include <iterator>

namespace windlass::input {
namespace {

constexpr base::Duration least_poll = std::chrono::milliseconds(250);
constexpr base::Duration most_poll = std::chrono::seconds(10);

/// Files that are recorded at once, as each time the disk has to be waited for.
constexpr std::size_t most_unrecorded = 1000;

}  // namespace

FileFollower::FileFollower(FileSystem& files, LineEncoder& encoder, Publisher& publisher,
                           std::vector<FollowedPaths> inputs, Options options, std::function<void()> record,
                           Notes notes)
    : files_(files),
      encoder_(encoder),
      publisher_(publisher),
      inputs_(std::move(inputs)),
      options_(options),
      record_(std::move(record)),
      notes_(std::move(notes)),
      cutter_(options.lines) {}

void FileFollower::restore(const FileEntry& entry) {
  const bool lost = entry.state == FileEntry::State::lost;
  TrackedFile* const twin = table_.by_key(entry.key);
  TrackedFile& file = lost ? table_.add_lost(entry.key, entry.path) : table_.add(entry.key, entry.path);
  file.entry = entry;
  file.acks = AckTracker(entry.position);
  file.place = {entry.position, entry.position, false};
  file.recorded = entry.fingerprint.length;
  std::uint32_t& generation = generations_[entry.origin];
  generation = std::max(generation, entry.generation);
  table_.set_fingerprint(file, entry.fingerprint);
  if (!lost && twin != nullptr) {
    // A crash came before the earlier one was known to be lost: of what a file held, the latest is there.
    TrackedFile& earlier = twin->entry.generation < entry.generation ? *twin : file;
    TrackedFile& later = &earlier == twin ? file : *twin;
    table_.lose(earlier);
    earlier.entry.state = FileEntry::State::lost;
    table_.move(later, entry.key, later.name);
    moved(earlier);
  }
  const auto wanted = [&](const FollowedPaths& input) {
    return std::ranges::any_of(input.paths, [&](const Glob& glob) { return glob.matches(entry.path); });
  };
  const auto input = std::ranges::find_if(inputs_, wanted);
  file.dismissed = input == inputs_.end();
  file.input = file.dismissed ? 0 : static_cast<std::size_t>(input - inputs_.begin());
}

void FileFollower::hint(const std::string& path, Hint what) {
  TrackedFile* const file = table_.by_name(path);
  if (what != Hint::appeared && file != nullptr && file->entry.gone_since == 0) return enqueue(*file);
  if (what == Hint::disappeared) return;
  for (std::size_t input = 0; input < inputs_.size(); ++input)
    for (const Glob& glob : inputs_[input].paths)
      if (glob.matches(path)) {
        found(path, DirectoryEntry::Kind::unknown, input);
        std::ranges::move(std::exchange(found_, {}), std::back_inserter(turns_));
        return;
      }
}

void FileFollower::poll(Moment now) {
  for (const std::uint32_t number : polled_) {
    TrackedFile* const file = table_.by_number(number);
    if (file == nullptr || file->queued || file->entry.gone_since != 0 || file->next_poll > now.steady) continue;
    file->next_poll = now.steady + std::clamp((now.steady - file->active) / 8, least_poll, most_poll);
    FileStatus status;
    if (file->open ? file->open->status(status) : files_.status(file->name, status)) continue;
    if (status.key == file->entry.key) look_at(*file, status);
  }
  meet_held(now, true);
}

bool FileFollower::work(Moment now) {
  if (stopped_) return false;
  if (unrecorded_.size() >= most_unrecorded || (turns_.empty() && !unrecorded_.empty())) {
    record();
    return true;
  }
  if (turns_.empty()) {
    if (!options_.once || held_.empty()) return false;
    meet_held(now, false);
    return true;
  }
  const Turn turn = std::move(turns_.front());
  turns_.pop_front();
  if (turn.number == 0) {
    FileStatus status;
    if (!files_.status(turn.path, status) && status.regular && table_.by_key(status.key) == nullptr)
      meet(turn.path, status, turn.input, now, true);
    return true;
  }
  TrackedFile* const file = table_.by_number(turn.number);
  if (file == nullptr) return true;
  file->queued = false;
  if (file->entry.state != FileEntry::State::lost && !file->dismissed) take_turn(*file, now);
  return true;
}

void FileFollower::settle(std::uint64_t token) {
  --under_way_;
  TrackedFile* const file = table_.by_number(static_cast<std::uint32_t>(token >> 32));
  if (file == nullptr) return;
  file->acks.settle(static_cast<std::uint32_t>(token));
  if (file->acks.position() != file->entry.position) moved(*file);
}

FileFollower::Changes FileFollower::take_changes() {
  Changes changes;
  for (const std::uint32_t number : changed_) {
    TrackedFile* const file = table_.by_number(number);
    if (file == nullptr) continue;
    file->changed = false;
    file->entry.position = file->acks.position();
    if (file->entry.identity != 0) changes.changed.push_back(file->entry);
  }
  changed_.clear();
  changes.removed = std::exchange(removed_, {});
  return changes;
}

FollowState FileFollower::state() const {
  FollowState result;
  for (const auto& [number, file] : table_.all()) {
    if (file->entry.gone_since != 0 || file->dismissed) continue;
    result.undelivered += file->undelivered();
  }
  result.open = open_.size();
  return result;
}

void FileFollower::enqueue(TrackedFile& file) {
  if (file.queued) return;
  file.queued = true;
  turns_.push_back({file.number});
}

void FileFollower::moved(TrackedFile& file) {
  if (file.changed) return;
  file.changed = true;
  changed_.push_back(file.number);
}

void FileFollower::note(Note::Level level, std::string text) const {
  if (notes_) notes_({level, std::move(text)});
}

}  // namespace windlass::input
