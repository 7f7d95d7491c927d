#include "input/file_follower.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iterator>

namespace windlass::input {
namespace {

constexpr base::Duration least_poll = std::chrono::milliseconds(250);
constexpr base::Duration most_poll = std::chrono::seconds(10);

/// Files that are recorded at once, as each time the disk has to be waited for.
constexpr std::size_t most_unrecorded = 1000;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_older(std::int64_t since, std::int64_t now, base::Duration age) {
  return now - since > age.count();
}

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

bool FileFollower::wants(std::size_t input, const std::string& path) const {
  const FollowedPaths& rules = inputs_[input];
  const auto is_in = [&](const std::regex& pattern) { return std::regex_search(path, pattern); };
  if (std::ranges::any_of(rules.excluded, is_in)) return false;
  return rules.included.empty() || std::ranges::any_of(rules.included, is_in);
}

void FileFollower::scan(Moment now) {
  ++scans_;
  Listings listings(files_);
  std::set<std::string> directories;
  for (std::size_t input = 0; input < inputs_.size(); ++input)
    for (const Glob& glob : inputs_[input].paths)
      glob.expand(listings, [&](const std::string& path, DirectoryEntry::Kind kind) {
        directories.insert(parent_of(path));
        found(path, kind, input);
      });
  std::ranges::move(std::exchange(found_, {}), std::back_inserter(turns_));
  for (const auto& [directory, entries] : listings.all()) directories.insert(directory.empty() ? "." : directory);
  directories_ = std::move(directories);

  std::vector<TrackedFile*> unseen;
  for (const auto& [number, file] : table_.all())
    if (file->scan != scans_) unseen.push_back(file.get());
  for (TrackedFile* file : unseen) missed(*file, listings, now);
  clean(now);
  meet_held(now, true);

  polled_.clear();
  for (const auto& [number, file] : table_.all()) {
    const bool out_of_sight = file->scan != scans_ && file->open;
    if (out_of_sight || file->by_link || (unwatched_ && unwatched_(parent_of(file->name)))) polled_.push_back(number);
  }
}

void FileFollower::found(const std::string& path, DirectoryEntry::Kind kind, std::size_t input) {
  if (kind == DirectoryEntry::Kind::directory || kind == DirectoryEntry::Kind::other || !wants(input, path)) return;
  const bool link =
      kind == DirectoryEntry::Kind::link || (kind == DirectoryEntry::Kind::unknown && files_.is_link(path));
  if (link && !inputs_[input].links) return;
  FileStatus status;
  if (files_.status(path, status) || !status.regular) return;
  TrackedFile* const file = table_.by_key(status.key);
  if (file == nullptr) return found_.push_back({0, path, input});

  file->scan = scans_;
  if (file->dismissed) {
    file->dismissed = false;
    file->input = input;
  }
  if (file->entry.gone_since != 0) {
    file->entry.gone_since = 0;
    moved(*file);
  }
  if (file->name != path) {
    FileStatus other;
    if (files_.status(file->name, other) || other.key != status.key) table_.rename(*file, path);
  }
  if (file->name == path) file->by_link = link;
  look_at(*file, status);
}

void FileFollower::look_at(TrackedFile& file, const FileStatus& status) {
  if (status.size != file.seen_size || status.modified != file.seen_modified) enqueue(file);
}

/// A file that is not known gets its first turn.
void FileFollower::meet(const std::string& path, const FileStatus& status, std::size_t input, Moment now,
                        bool patient) {
  const base::Duration oldest = inputs_[input].ignore_older;
  if (oldest.count() > 0 && is_older(status.modified, now.nanoseconds, oldest)) return;
  if (table_.size() >= options_.max_files) {
    if (!full_) note(Note::Level::error, fmt::format("more than {} files: the others are not followed", table_.size()));
    full_ = true;
    return;
  }
  std::string head;
  if (!is_copy(path, status, input, now, patient, head)) begin(path, status, input, now, head);
}

TrackedFile& FileFollower::begin(const std::string& path, const FileStatus& status, std::size_t input, Moment now,
                                 std::string_view head) {
  held_.erase(status.key);
  TrackedFile& file = table_.add(status.key, path);
  file.input = input;
  file.entry.origin = status.key;
  file.entry.born = status.born;
  if (const auto known = generations_.find(status.key); known != generations_.end())
    file.entry.generation = known->second + 1;
  file.active = now.steady;
  file.scan = scans_;
  file.by_link = files_.is_link(path);
  // Already, so that the next one that is found may turn out to be a copy of this one.
  if (head.size() == fingerprint_bytes) table_.set_fingerprint(file, Fingerprint::of(head));
  if (file.by_link || (unwatched_ && unwatched_(parent_of(path)))) polled_.push_back(file.number);
  ++counters_.found;
  enqueue(file);
  return file;
}

/// Whether it is a copy of a file that was truncated, or may become one: then it has been dealt with.
bool FileFollower::is_copy(const std::string& path, const FileStatus& status, std::size_t input, Moment now,
                           bool patient, std::string& head) {
  if (status.size < fingerprint_bytes) return false;
  std::unique_ptr<OpenFile> open;
  if (files_.open(path, open) || read_at(*open, 0, fingerprint_bytes, head)) return false;
  std::vector<TrackedFile*> originals = table_.by_fingerprint(Fingerprint::of(head));
  // Of several contents that begin alike, it is most likely the one that was truncated last.
  std::ranges::sort(originals, std::greater(),
                    [](const TrackedFile* file) { return std::pair(file->entry.gone_since, file->entry.generation); });
  for (TrackedFile* original : originals) {
    if (original->entry.state != FileEntry::State::lost) continue;
    const Mark& mark = original->entry.mark;
    std::string bytes;
    if (mark.end != 0 &&
        (status.size < mark.end || read_at(*open, mark.end - fingerprint_bytes, fingerprint_bytes, bytes) ||
         hash_of(bytes) != mark.hash))
      continue;
    adopt(*original, path, status, input);
    return true;
  }
  if (!patient) return false;
  for (TrackedFile* original : originals) {
    if (original->entry.state != FileEntry::State::live || !may_become_copy(*open, status, *original)) continue;
    enqueue(*original);
    const auto [at, is_new] = held_.try_emplace(status.key, Held{path, input, status.size, now.steady});
    if (!is_new && at->second.size != status.size) at->second = Held{path, input, status.size, now.steady};
    return true;
  }
  return false;
}

/// Whether the file is a beginning of the original, as far as it goes.
bool FileFollower::may_become_copy(OpenFile& file, const FileStatus& status, TrackedFile& original) {
  std::unique_ptr<OpenFile> open;
  FileStatus of_original;
  std::string head;
  bool unchanged = false;
  if (files_.open(original.name, open) ||
      verify(original, *open, original.place.offset, of_original, head, unchanged) ||
      of_original.key != original.entry.key)
    return false;
  // Truncated a moment ago, which its next turn finds out.
  if (!unchanged) return true;
  if (status.size > of_original.size) return false;
  std::string bytes;
  std::string bytes_of_original;
  return !read_at(file, status.size - fingerprint_bytes, fingerprint_bytes, bytes) &&
         !read_at(*open, status.size - fingerprint_bytes, fingerprint_bytes, bytes_of_original) &&
         bytes == bytes_of_original;
}

void FileFollower::adopt(TrackedFile& original, const std::string& path, const FileStatus& status, std::size_t input) {
  held_.erase(status.key);
  table_.move(original, status.key, path);
  original.input = input;
  original.entry.state = FileEntry::State::copy;
  original.entry.born = status.born;
  original.entry.gone_since = 0;
  original.scan = scans_;
  original.seen_modified = -1;
  ++counters_.copies;
  note(Note::Level::info, fmt::format("{} is a copy of what {} held, and is read from byte {} on", path,
                                      original.entry.path, original.place.line));
  moved(original);
  enqueue(original);
}

void FileFollower::meet_held(Moment now, bool patient) {
  const std::map<FileKey, Held> held = held_;
  for (const auto& [key, file] : held) {
    FileStatus status;
    if (files_.status(file.path, status) || status.key != key) {
      held_.erase(key);
      continue;
    }
    const bool waiting = status.size != file.size || now.steady - file.since < options_.copy_patience;
    meet(file.path, status, file.input, now, patient && waiting);
  }
}

/// A scan did not find it.
void FileFollower::missed(TrackedFile& file, Listings& listings, Moment now) {
  if (file.entry.state == FileEntry::State::lost || file.entry.gone_since != 0) return;
  FileStatus status;
  if (file.open) {
    if (file.open->status(status)) return;
    if (status.links == 0) enqueue(file);
    return look_at(file, status);
  }
  if (!files_.status(file.name, status) && status.key == file.entry.key) {
    if (!file.dismissed) look_at(file, status);
  } else if (!find_elsewhere(file, listings)) {
    gone(file, now);
  }
}

/// Its name is gone, or another's: it may have been renamed, be it to a name that no input looks for.
bool FileFollower::find_elsewhere(TrackedFile& file, Listings& listings) {
  const std::string directory = parent_of(file.name);
  for (const DirectoryEntry& entry : listings.of(directory)) {
    if (entry.inode != file.entry.key.inode) continue;
    const std::string path = directory == "/" ? "/" + entry.name : directory + '/' + entry.name;
    FileStatus status;
    if (files_.status(path, status) || status.key != file.entry.key) continue;
    table_.rename(file, path);
    if (!file.dismissed) look_at(file, status);
    return true;
  }
  return false;
}

void FileFollower::gone(TrackedFile& file, Moment now) {
  close(file);
  file.entry.gone_since = now.nanoseconds / 1'000'000'000;
  moved(file);
}

/// Forgets what has been gone for long, and closes what is idle.
void FileFollower::clean(Moment now) {
  std::vector<TrackedFile*> forgotten;
  for (const auto& [number, file] : table_.all()) {
    if (file->open && !file->queued && now.steady - file->active >= inputs_[file->input].close_inactive) close(*file);
    if (file->entry.gone_since == 0 || !file->acks.idle()) continue;
    if (file->entry.identity == 0 ||
        is_older(file->entry.gone_since * 1'000'000'000, now.nanoseconds, options_.clean_inactive))
      forgotten.push_back(file.get());
  }
  for (TrackedFile* file : forgotten) {
    if (file->entry.identity != 0) removed_.push_back(file->entry.identity);
    table_.remove(*file);
  }
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
    ++result.files;
    result.unread += file->unread();
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
