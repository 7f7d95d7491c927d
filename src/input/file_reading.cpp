// How FileFollower reads: the turn of one file.
#include <fmt/format.h>

#include <windlass/error.h>

#include "input/file_follower.h"

namespace windlass::input {

void FileFollower::take_turn(TrackedFile& file, Moment now) {
  if (!make_open(file, now)) return;
  const LineCutter::Place begin = file.place;
  cutter_.restart(begin);
  bool begun = false;
  for (;;) {
    const std::span<char> room = cutter_.prepare();
    const std::uint64_t offset = cutter_.read_offset();
    std::size_t got = 0;
    FileStatus status;
    std::string head;
    // In this order: what was read counts only if the file is the same one afterwards.
    std::error_code error = file.open->read(offset, room.data(), room.size(), got);
    bool unchanged = false;
    if (!error) error = verify(file, *file.open, offset + got, status, head, unchanged);
    if (error) return fail(file, error);
    if (!unchanged) return replaced(file, status, head, now);

    file.failing = false;
    file.seen_size = status.size;
    file.seen_modified = status.modified;
    if (file.found_short && head.size() == fingerprint_bytes && is_known_now(file, status, head, now)) return;
    if (head.size() > file.entry.fingerprint.length) {
      table_.set_fingerprint(file, Fingerprint::of(head));
      moved(file);
    }
    const bool at_end = got == 0 || offset + got >= status.size;
    const bool deleted = status.links == 0;
    const bool complete = at_end && (deleted || options_.once);
    if (file.entry.identity == 0 && !head.empty() && (complete || identity_is_settled(head))) {
      file.entry.identity = identity_of(status, head, file.entry.generation);
      generations_[file.entry.origin] = file.entry.generation;
      file.found_short = false;
      moved(file);
    }
    if (file.entry.identity != 0) {
      if (!is_recorded(file)) return;
      if (!begun) encoder_.begin(file.entry.path, file.entry.identity);
      begun = true;
      cutter_.commit(got);
      if (complete) cutter_.finish();
      if (got > 0) file.active = now.steady;
      if (!publish_lines(file)) return;
    }
    if (at_end) {
      renew_mark(file);
      if (deleted) gone(file, now);
      return;
    }
    // A line that is longer than a turn gets on nevertheless.
    if (offset + got >= begin.offset + options_.turn_bytes && file.place != begin) {
      renew_mark(file);
      return enqueue(file);
    }
  }
}

/// Else its turn comes again once it is.
bool FileFollower::is_recorded(TrackedFile& file) {
  if (file.recorded == file.entry.fingerprint.length) return true;
  file.queued = true;
  unrecorded_.push_back(file.number);
  return false;
}

void FileFollower::record() {
  record_();
  for (const std::uint32_t number : std::exchange(unrecorded_, {})) {
    TrackedFile* const file = table_.by_number(number);
    if (file == nullptr) continue;
    file->recorded = file->entry.fingerprint.length;
    file->queued = false;
    enqueue(*file);
  }
}

bool FileFollower::make_open(TrackedFile& file, Moment now) {
  if (file.open) {
    open_.splice(open_.end(), open_, file.open_place);
    return true;
  }
  for (bool again = false;; again = true) {
    std::unique_ptr<OpenFile> open;
    FileStatus status;
    std::error_code error = files_.open(file.name, open);
    if (!error) error = open->status(status);
    if (!error && status.key == file.entry.key) {
      while (!open_.empty() && open_.size() >= options_.max_open_files) close(*table_.by_number(open_.front()));
      file.open = std::move(open);
      file.open_place = open_.insert(open_.end(), file.number);
      return true;
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      fail(file, error);
      return false;
    }
    Listings listings(files_);
    if (again || !find_elsewhere(file, listings)) {
      if (file.unread() > 0)
        note(Note::Level::warning, fmt::format("{} is gone; {} bytes of it were not read", file.name, file.unread()));
      gone(file, now);
      return false;
    }
  }
}

void FileFollower::close(TrackedFile& file) {
  if (!file.open) return;
  file.open.reset();
  open_.erase(file.open_place);
}

bool FileFollower::is_unchanged(const TrackedFile& file, const FileStatus& status, std::string_view head,
                                std::uint64_t end) const {
  if (file.entry.born != 0 && status.born != 0 && file.entry.born != status.born) return false;
  // Its last lines may have been read from the original after the copy was made.
  const bool may_be_short = file.entry.state == FileEntry::State::copy;
  return (may_be_short || status.size >= end) && file.entry.fingerprint.matches(head);
}

std::error_code FileFollower::verify(TrackedFile& file, OpenFile& open, std::uint64_t end, FileStatus& status,
                                     std::string& head, bool& unchanged) const {
  if (const std::error_code error = open.status(status)) return error;
  if (const std::error_code error = read_at(open, 0, fingerprint_bytes, head)) return error;
  unchanged = is_unchanged(file, status, head, end);
  const Mark& mark = file.entry.mark;
  if (!unchanged || mark.end == 0 || status.size < mark.end) return {};
  // Many logs begin alike, with a banner that is longer than a fingerprint.
  std::string bytes;
  const std::error_code error = read_at(open, mark.end - fingerprint_bytes, fingerprint_bytes, bytes);
  unchanged = !error && hash_of(bytes) == mark.hash;
  return error;
}

/// The file holds something else now: it was truncated, or its inode is another file's.
void FileFollower::replaced(TrackedFile& file, const FileStatus& status, std::string_view head, Moment now) {
  ++counters_.replaced;
  note(Note::Level::info,
       fmt::format("{} was truncated or replaced, and is read from its beginning{}", file.name,
                   file.unread() > 0 ? fmt::format("; {} bytes had not been read", file.unread()) : std::string()));
  const bool is_another_file = file.entry.born != 0 && status.born != 0 && file.entry.born != status.born;
  const std::string name = file.name;
  const std::string path = file.entry.path;
  const std::size_t input = file.input;
  close(file);
  if (file.entry.identity == 0) {
    table_.remove(file);
  } else {
    table_.lose(file);
    file.entry.state = FileEntry::State::lost;
    file.entry.gone_since = now.nanoseconds / 1'000'000'000;
    moved(file);
  }
  if (is_another_file)
    meet(name, status, input, now, true);  // a copy, it may be
  else
    begin(name, status, input, now, head).entry.path = path;
  meet_held(now, true);
}

void FileFollower::renew_mark(TrackedFile& file) {
  const std::uint64_t end = mark_end(file.place.offset);
  if (end <= file.entry.mark.end || file.entry.state != FileEntry::State::live) return;
  std::string bytes;
  std::string head;
  FileStatus status;
  bool unchanged = false;
  if (read_at(*file.open, end - fingerprint_bytes, fingerprint_bytes, bytes) || bytes.size() != fingerprint_bytes ||
      verify(file, *file.open, file.place.offset, status, head, unchanged) || !unchanged)
    return;
  file.entry.mark = {end, hash_of(bytes)};
  moved(file);
}

/// What the cutter has. False: the publisher takes nothing any more.
bool FileFollower::publish_lines(TrackedFile& file) {
  const LineCutter::Counters before = cutter_.counters();
  LineCutter::Line line;
  bool going_on = true;
  while (going_on && cutter_.next(line)) {
    if (!encoder_.encode(line, events_)) ++counters_.refused_lines;
    if (events_.bytes() >= options_.piece_bytes || events_.size() >= options_.piece_events)
      going_on = publish_piece(file);
  }
  counters_.cut_lines += cutter_.counters().cut_lines - before.cut_lines;
  counters_.empty_lines += cutter_.counters().empty_lines - before.empty_lines;
  return going_on && publish_piece(file);
}

bool FileFollower::publish_piece(TrackedFile& file) {
  const LineCutter::Place place = cutter_.place();
  if (place == file.place) return true;
  EventBuffer piece;
  if (events_.bytes() < options_.piece_bytes / 4) {
    // Memory that waits for an answer is no more than what it holds.
    piece.reserve(events_.bytes(), events_.size());
    for (std::size_t index = 0; index < events_.size(); ++index) piece.append(events_[index]);
    events_.clear();
  } else {
    piece = std::exchange(events_, EventBuffer());
    events_.reserve(options_.piece_bytes + options_.piece_bytes / 8, options_.piece_events);
  }
  const std::uint64_t lines = piece.size();
  const std::uint32_t number = file.acks.next();
  const auto token = [&](std::uint32_t piece_number) { return (std::uint64_t{file.number} << 32) | piece_number; };
  if (lines > 0) {
    const std::error_code refusal = publisher_.publish(std::move(piece), token(number));
    if (refusal == errc::too_large) {
      if (!publish_one_by_one(file, piece, place.line)) return false;
    } else if (refusal) {
      stopped_ = true;
      return false;
    } else {
      counters_.lines += lines;
      ++under_way_;
      file.acks.add(place.line);
    }
  } else {
    file.acks.add(place.line);
    file.acks.settle(number);
    if (file.acks.position() != file.entry.position) moved(file);
  }
  counters_.bytes += place.offset - file.place.offset;
  file.place = place;
  return true;
}

bool FileFollower::publish_one_by_one(TrackedFile& file, const EventBuffer& events, std::uint64_t end) {
  for (std::size_t index = 0; index < events.size(); ++index) {
    EventBuffer single;
    single.append(events[index]);
    const std::uint32_t number = file.acks.next();
    const std::error_code refusal = publisher_.publish(std::move(single), (std::uint64_t{file.number} << 32) | number);
    if (refusal && refusal != errc::too_large) {
      stopped_ = true;
      return false;
    }
    // The position moves once all of them are done.
    file.acks.add(index + 1 == events.size() ? end : file.place.line);
    if (!refusal) {
      ++counters_.lines;
      ++under_way_;
      continue;
    }
    ++counters_.refused_lines;
    file.acks.settle(number);
    note(Note::Level::error, fmt::format("{}: a line of {} bytes, as an event, is larger than the whole queue: "
                                         "queue.mem.bytes",
                                         file.name, events[index].size()));
  }
  return true;
}

void FileFollower::fail(TrackedFile& file, const std::error_code& error) {
  if (!file.failing) {
    ++counters_.failed;
    note(Note::Level::error, fmt::format("{}: {}", file.name, error.message()));
  }
  file.failing = true;
  file.seen_modified = -1;  // the next scan tries again
  close(file);
}

}  // namespace windlass::input
