// How FileFollower finds: which files there are, and which of them are known.
#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iterator>

#include "input/file_follower.h"

namespace windlass::input {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_older(std::int64_t since, std::int64_t now, base::Duration age) {
  return now - since > age.count();
}

}  // namespace

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
  std::unique_ptr<OpenFile> open;
  FileStatus opened;
  std::string head;
  // Another file may have its name by now; then that is found out when it is read.
  if (status.size >= fingerprint_bytes && !files_.open(path, open) && !open->status(opened) &&
      opened.key == status.key && !read_at(*open, 0, fingerprint_bytes, head) &&
      is_known(path, *open, opened, head, input, now, patient))
    return;
  begin(path, status, input, now, head).found_short = head.size() < fingerprint_bytes;
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

/// Whether it is a known file on a device of another number, or a copy of a file that was truncated, or may become one:
/// then it has been dealt with.
bool FileFollower::is_known(const std::string& path, OpenFile& file, const FileStatus& status, std::string_view head,
                            std::size_t input, Moment now, bool patient) {
  std::vector<TrackedFile*> originals = table_.by_fingerprint(Fingerprint::of(head));
  // Of several contents that begin alike, it is most likely the one that was truncated last.
  std::ranges::sort(originals, std::greater(), [](const TrackedFile* known) {
    return std::pair(known->entry.gone_since, known->entry.generation);
  });
  for (TrackedFile* original : originals) {
    const bool lost = original->entry.state == FileEntry::State::lost;
    if ((!lost && !has_moved_to(*original, status)) || !has_mark_of(*original, file, status)) continue;
    if (lost)
      adopt(*original, path, status, input);
    else
      follow_to(*original, path, status, input);
    return true;
  }
  if (!patient) return false;
  for (TrackedFile* original : originals) {
    if (original->entry.state != FileEntry::State::live || !may_become_copy(file, status, *original)) continue;
    enqueue(*original);
    const auto [at, is_new] = held_.try_emplace(status.key, Held{path, input, status.size, now.steady});
    if (!is_new && at->second.size != status.size) at->second = Held{path, input, status.size, now.steady};
    return true;
  }
  return false;
}

/// A file that was short when it was found is long enough now.
bool FileFollower::is_known_now(TrackedFile& file, const FileStatus& status, std::string_view head, Moment now) {
  file.found_short = false;
  if (!is_known(file.name, *file.open, status, head, file.input, now, true)) return false;
  --counters_.found;
  close(file);
  table_.remove(file);
  return true;
}

/// A file system may have another device number after a restart of the system.
bool FileFollower::has_moved_to(const TrackedFile& file, const FileStatus& status) const {
  const bool is_missed = file.scan != scans_ && !file.open;
  return is_missed && file.entry.key.inode == status.key.inode && file.entry.key.device != status.key.device &&
         file.entry.born == status.born;
}

bool FileFollower::has_mark_of(const TrackedFile& original, OpenFile& file, const FileStatus& status) {
  const Mark& mark = original.entry.mark;
  std::string bytes;
  return mark.end == 0 ||
         (status.size >= mark.end && !read_at(file, mark.end - fingerprint_bytes, fingerprint_bytes, bytes) &&
          hash_of(bytes) == mark.hash);
}

/// Whether the file is a beginning of the original, as far as it goes.
bool FileFollower::may_become_copy(OpenFile& file, const FileStatus& status, TrackedFile& original) {
  if (original.entry.gone_since != 0) return false;
  std::unique_ptr<OpenFile> opened;
  if (!original.open && files_.open(original.name, opened)) return true;
  OpenFile& open = original.open ? *original.open : *opened;
  FileStatus of_original;
  std::string head;
  bool unchanged = false;
  if (verify(original, open, original.place.offset, of_original, head, unchanged)) return false;
  // It was renamed or truncated a moment ago, which its next turn finds out.
  if (!unchanged || of_original.key != original.entry.key) return true;
  if (status.size > of_original.size) return false;
  std::string bytes;
  std::string bytes_of_original;
  return !read_at(file, status.size - fingerprint_bytes, fingerprint_bytes, bytes) &&
         !read_at(open, status.size - fingerprint_bytes, fingerprint_bytes, bytes_of_original) &&
         bytes == bytes_of_original;
}

void FileFollower::adopt(TrackedFile& original, const std::string& path, const FileStatus& status, std::size_t input) {
  original.entry.state = FileEntry::State::copy;
  original.entry.born = status.born;
  ++counters_.copies;
  note(Note::Level::info, fmt::format("{} is a copy of what {} held, and is read from byte {} on", path,
                                      original.entry.path, original.place.line));
  follow_to(original, path, status, input);
}

void FileFollower::follow_to(TrackedFile& file, const std::string& path, const FileStatus& status, std::size_t input) {
  held_.erase(status.key);
  table_.move(file, status.key, path);
  file.input = input;
  file.dismissed = false;
  file.entry.gone_since = 0;
  file.scan = scans_;
  file.seen_modified = -1;
  moved(file);
  enqueue(file);
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

}  // namespace windlass::input
