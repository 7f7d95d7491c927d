#include "queue/disk_queue.h"

#include <algorithm>
#include <array>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::queue {
namespace {

/// Segments are zeroed in advance in steps of this size: the less often the file grows, the less there is to sync.
constexpr std::uint64_t zeroed_ahead = std::uint64_t{1} << 20;
/// Each segment keeps room for the mark of its end.
constexpr std::uint64_t end_mark_size = Record::header_size;
/// The position has room to begin with, so that it can be saved on a disk that is full.
constexpr std::uint64_t position_room = 4096;
/// What is written to a used file ends where a page ends, so that the page need not be read.
constexpr std::uint64_t page = 4096;
/// More would only say the same.
constexpr std::size_t most_told = 1000;

std::uint64_t missing_between(const Acked& acked, Sequence first, Sequence end) {
  std::uint64_t count = 0;
  for (Sequence at = acked.next_missing(first); at < end;) {
    const Sequence until = acked.end_of_missing(at, end);
    count += until - at;
    at = acked.next_missing(until);
  }
  return count;
}

}  // namespace

// ---- opening, closing

std::error_code DiskQueue::open(std::unique_ptr<Storage> storage, Options options, std::unique_ptr<DiskQueue>& queue) {
  if (const auto error = storage->lock()) return error;
  std::unique_ptr<DiskQueue> opened(new DiskQueue(std::move(storage), options));
  if (const auto error = opened->start()) return error;
  queue = std::move(opened);
  return {};
}

std::error_code DiskQueue::start() {
  Recovery found;
  if (const auto error = recover(*storage_, found)) return error;
  for (Damage& damage : found.damage) tell(std::move(damage));
  // What cannot be moved away or removed now, on a disk that is full or must not be written to, is so next time.
  for (const std::string& name : found.set_aside) storage_->rename(name, name + std::string(damaged_suffix));
  for (const std::string& name : found.empty) storage_->remove(name);

  kept_bytes_ = found.kept_bytes;
  next_number_ = found.next_number;
  next_ = durable_ = durable_before_ = found.next;
  if (found.position_slot >= 0) durable_before_ = found.position.durable;
  acked_ = std::move(found.position.acked);
  generation_ = found.position.generation;
  reading_ = acked_.next_missing(0);
  for (SegmentState& state : found.segments) {
    Segment& segment = segments_.emplace_back();
    static_cast<SegmentState&>(segment) = std::move(state);
    segment.unacked = missing_between(acked_, segment.first, segment.end);
    // It may have been written by a process that did not get to sync it, and is about to be called durable.
    segment.needs_sync = segment.end > durable_before_;
    events_ += segment.unacked;
    bytes_ += segment.size;
    has_done_ |= segment.unacked == 0;
    if (!segment.damaged && segment.size > segment.used && !open_file(segment)) give_back_room(segment);
    if (!segment.needs_sync) segment.file.reset();
  }
  if (found.position_slot >= 0 &&
      !storage_->open(std::string(position_names[found.position_slot]), Storage::Open::to_write,
                      slots_[found.position_slot]) &&
      !slots_[found.position_slot]->sync())
    durable_slot_ = found.position_slot;
  for (Segment& segment : segments_)
    if (segment.needs_sync && !sync_segment(segment)) segment.file.reset();
  spare_bytes_ = found.spare_bytes;
  bytes_ += spare_bytes_;
  if (spare_bytes_ > 0 && storage_->sync_names()) drop_spare();  // its old name might come back
  // Before there is any event, so that a missing position is known to be missing.
  if (!save_position(true) && has_done_) remove_done();
  return {};
}

DiskQueue::~DiskQueue() {
  if (durable_ != next_) sync();
  save_position(true);
}

// ---- writing

std::error_code DiskQueue::append(const EventBuffer& events, bool guaranteed, Sequence& first) {
  if (events.empty()) return errc::no_events;
  const std::uint64_t payload = Record::payload_of(events);
  const std::uint64_t size = Record::size_of(payload);
  if (payload > Record::max_payload || SegmentHeader::size + size + end_mark_size > options_.max_size)
    return errc::too_large;
  if (const Segment* full = writing();
      full != nullptr && full->used > SegmentHeader::size && full->used + size + end_mark_size > options_.segment_size)
    end_segment();
  if (!is_writing_)
    if (const auto error = begin_segment(size)) return error;
  Segment& segment = segments_.back();
  if (const auto error = make_room(segment, size)) {
    drop_spare();
    return error;
  }

  front_.clear();
  append_record_front(front_, events, next_, guaranteed, segment.number);
  const std::array<std::string_view, 4> pieces{
      front_, {events[0].data(), events.bytes()}, padding(payload), blank_behind(segment, segment.used + size)};
  segment.needs_sync = true;
  if (const auto error = segment.file->write(segment.used, pieces)) {
    // Part of it may be there. The next record is written over it, unless that does not even become zeros.
    if (segment.file->zero(segment.used, size)) is_writing_ = false;
    drop_spare();
    return error;
  }
  segment.used += size;
  first = next_;
  next_ += events.size();
  segment.end = next_;
  segment.unacked += events.size();
  events_ += events.size();
  return {};
}

std::error_code DiskQueue::begin_segment(std::uint64_t record_size) {
  if (spare_bytes_ == 0 && bytes_ + SegmentHeader::size + record_size + end_mark_size > options_.max_size)
    return errc::queue_full;
  Segment segment;
  segment.number = next_number_;
  segment.name = segment_name(next_number_);
  segment.first = segment.end = next_;
  segment.used = segment.size = SegmentHeader::size;
  segment.needs_sync = true;
  std::error_code error = spare_bytes_ > 0 ? reuse_spare(segment) : create_file(segment);
  if (!error) error = storage_->sync_names();
  if (error) {
    storage_->remove(segment.name);
    return error;
  }
  ++next_number_;
  bytes_ += segment.size;
  segments_.push_back(std::move(segment));
  is_writing_ = true;
  return {};
}

std::error_code DiskQueue::create_file(Segment& segment) {
  if (const auto error = storage_->open(segment.name, Storage::Open::create, segment.file)) return error;
  std::string header;
  append_segment_header(header, {segment.number, next_});
  const std::array<std::string_view, 1> pieces{header};
  return segment.file->write(0, pieces);
}

/// The header is durable before the file has the name, so that nothing old is ever taken for a segment that is damaged.
std::error_code DiskQueue::reuse_spare(Segment& segment) {
  segment.size = spare_bytes_;
  segment.reused = true;
  std::string header;
  append_segment_header(header, {segment.number, next_, true});
  const std::array<std::string_view, 2> pieces{header, blank_behind(segment, header.size())};
  const std::string name(spare_name);
  std::error_code error = storage_->open(name, Storage::Open::to_write, segment.file);
  if (!error) error = segment.file->write(0, pieces);
  if (!error) error = segment.file->sync();
  if (!error) error = storage_->rename(name, segment.name);
  if (error) {
    drop_spare();  // the next attempt does without
  } else {
    bytes_ -= std::exchange(spare_bytes_, 0);
  }
  return error;
}

/// The position by which it is done with is durable.
bool DiskQueue::keep_as_spare(const Segment& segment) {
  const bool fits = segment.size <= options_.segment_size && segment.size >= options_.segment_size / 2;
  if (spare_bytes_ > 0 || segment.damaged || !fits) return false;
  const std::string name(spare_name);
  if (storage_->rename(segment.name, name)) return false;
  bytes_ += spare_bytes_ = segment.size;
  if (storage_->sync_names()) drop_spare();
  return true;
}

void DiskQueue::drop_spare() {
  if (spare_bytes_ == 0) return;
  storage_->remove(std::string(spare_name));
  bytes_ -= std::exchange(spare_bytes_, 0);
}

/// A segment without the mark is sound as well: the next one says where it ended.
void DiskQueue::end_segment() {
  Segment& segment = segments_.back();
  is_writing_ = false;
  Record mark;
  mark.first = next_;
  mark.end_of_segment = true;
  std::string bytes;
  append_record_header(bytes, mark, segment.number);
  const std::array<std::string_view, 1> pieces{bytes};
  if (!segment.file->write(segment.used, pieces)) segment.used += bytes.size();
  if (segment.used > segment.size) {
    bytes_ += segment.used - segment.size;
    segment.size = segment.used;
  } else {
    give_back_room(segment);
  }
  segment.needs_sync = true;
  if (reading_segment_ != segment.number) segment.file.reset();
  has_done_ |= segment.unacked == 0;
}

/// What a segment has beyond its last record, unless that is so little that the file is worth more whole.
void DiskQueue::give_back_room(Segment& segment) {
  if (segment.size - segment.used <= options_.segment_size / 8) return;
  if (segment.file->resize(segment.used)) return;
  bytes_ -= segment.size - segment.used;
  segment.size = segment.used;
}

/// Zeros that are to follow a record which ends there; nothing where there are zeros, or the end of the file, already.
std::string_view DiskQueue::blank_behind(const Segment& segment, std::uint64_t offset) const {
  static constexpr std::array<char, page + Record::header_size> zeros{};
  if (!segment.reused || offset >= segment.size) return {};
  const std::uint64_t end = std::min((offset + Record::header_size + page - 1) / page * page, segment.size);
  return {zeros.data(), static_cast<std::size_t>(end - offset)};
}

std::error_code DiskQueue::make_room(Segment& segment, std::uint64_t record_size) {
  const std::uint64_t needed = segment.used + record_size + end_mark_size;
  if (needed <= segment.size) return {};
  if (bytes_ + needed - segment.size > options_.max_size) drop_spare();
  const std::uint64_t room = options_.max_size - std::min(options_.max_size, bytes_);
  if (needed - segment.size > room) return errc::queue_full;
  if (record_size >= std::min(zeroed_ahead, options_.segment_size) / 4) {
    // For a large one the zeros would cost more than they spare.
    const std::uint64_t end = segment.used + record_size;
    bytes_ += end - std::min(end, segment.size);
    segment.size = std::max(segment.size, end);
    return {};
  }
  const std::uint64_t ahead = std::min({segment.used + zeroed_ahead, options_.segment_size, segment.size + room});
  std::uint64_t until = std::max(needed, ahead);
  std::error_code error = segment.file->zero(segment.size, until - segment.size);
  if (error && until > needed) {
    until = needed;  // it may be the last bit of room that is left
    error = segment.file->zero(segment.size, until - segment.size);
  }
  if (error) {
    segment.file->resize(segment.size);  // the room is of more use elsewhere
    return error;
  }
  bytes_ += until - segment.size;
  segment.size = until;
  return {};
}

std::error_code DiskQueue::sync_segment(Segment& segment) {
  if (const auto error = open_file(segment)) return error;
  const std::error_code error = segment.file->sync();
  if (!error) segment.needs_sync = false;
  return error;
}

std::error_code DiskQueue::sync() {
  // From the oldest on, so that what is durable has no gaps.
  auto segment = segments_.end();
  while (segment != segments_.begin() && std::prev(segment)->needs_sync) --segment;
  for (; segment != segments_.end(); ++segment) {
    if (const auto error = sync_segment(*segment)) {
      forget_unsynced();
      return error;
    }
    const bool in_use = segment->number == reading_segment_ || &*segment == writing();
    if (!in_use) segment->file.reset();
  }
  durable_ = next_;
  return {};
}

/// After a sync that failed, the system may have thrown away what it could not write, and take it for written.
void DiskQueue::forget_unsynced() {
  is_writing_ = false;
  for (Segment& segment : segments_) segment.needs_sync = false;
  ack(durable_, next_ - durable_);
  durable_ = next_;
  has_done_ = true;
}

std::error_code DiskQueue::open_file(Segment& segment) {
  if (segment.file) return {};
  const std::error_code error = storage_->open(segment.name, Storage::Open::to_write, segment.file);
  return error ? storage_->open(segment.name, Storage::Open::to_read, segment.file) : error;
}

std::deque<DiskQueue::Segment>::iterator DiskQueue::segment_from(std::uint64_t number) {
  return std::lower_bound(segments_.begin(), segments_.end(), number,
                          [](const Segment& segment, std::uint64_t wanted) { return segment.number < wanted; });
}

// ---- reading

bool DiskQueue::read(Stored& stored) {
  while (has_unread() || has_loaded_) {
    if (has_loaded_) {
      if (take_part(stored)) return true;
      has_loaded_ = false;
      continue;
    }
    Record record;
    Segment* segment = nullptr;
    if (!next_record(record, segment)) {
      reading_ = next_;
      return false;
    }
    if (record.end() <= reading_) continue;
    reading_ = record.end();
    const Sequence first_missing = acked_.next_missing(record.first);
    if (first_missing >= record.end() || !load(record, *segment)) continue;
    if (first_missing == record.first && acked_.end_of_missing(record.first, record.end()) == record.end()) {
      stored = {std::move(loaded_), record.first, record.guaranteed};
      loaded_ = EventBuffer();
      return true;
    }
    has_loaded_ = true;
    loaded_record_ = record;
    loaded_from_ = record.first;
  }
  return false;
}

bool DiskQueue::take_part(Stored& stored) {
  const Sequence first = acked_.next_missing(loaded_from_);
  if (first >= loaded_record_.end()) return false;
  const Sequence end = acked_.end_of_missing(first, loaded_record_.end());
  stored = {EventBuffer(), first, loaded_record_.guaranteed};
  const std::size_t begin_index = static_cast<std::size_t>(first - loaded_record_.first);
  const std::size_t end_index = static_cast<std::size_t>(end - loaded_record_.first);
  stored.events.reserve(loaded_.bytes_between(begin_index, end_index), end_index - begin_index);
  for (std::size_t index = begin_index; index < end_index; ++index) stored.events.append(loaded_[index]);
  loaded_from_ = end;
  return true;
}

bool DiskQueue::next_record(Record& record, Segment*& segment) {
  for (;;) {
    const auto place = segment_from(reading_segment_);
    if (place == segments_.end()) return false;
    segment = &*place;
    if (segment->number != reading_segment_ || !scan_) {
      reading_segment_ = segment->number;
      scan_.reset();
      if (!open_file(*segment)) scan_.emplace(*segment->file, segment->number);
    }
    SegmentScan::Found found = SegmentScan::End();
    if (!scan_ || scan_->next(segment->used, found)) {
      const std::uint64_t offset = scan_ ? scan_->offset() : 0;
      const Sequence from = std::clamp(reading_, segment->first, segment->end);
      lose(*segment, {Damage::Kind::unreadable_segment, segment->name, offset, segment->used - offset, from,
                      segment->end - from, true});
    }
    if (std::holds_alternative<SegmentScan::Unreadable>(found)) continue;  // told of when the queue was opened
    if (const auto* next = std::get_if<Record>(&found); next != nullptr && !next->end_of_segment) {
      record = *next;
      return true;
    }
    if (segment == writing()) return false;
    if (std::next(place) == segments_.end()) return false;
    segment->file.reset();
    scan_.reset();
    reading_segment_ = std::next(place)->number;
  }
}

bool DiskQueue::load(const Record& record, Segment& segment) {
  const std::error_code error = read_events(*segment.file, record, loaded_);
  if (!error) return true;
  lose(segment, {Damage::Kind::unreadable_events, segment.name, record.offset, record.size(), record.first,
                 record.events, true});
  return false;
}

/// Its events cannot be read, so they are done with.
void DiskQueue::lose(Segment& segment, Damage damage) {
  const Sequence end = damage.first + damage.events;
  segment.damaged |= damage.first < durable_before_;
  for (Sequence at = acked_.next_missing(damage.first); at < end;) {
    const Sequence until = acked_.end_of_missing(at, at < durable_before_ ? std::min(end, durable_before_) : end);
    damage.first = at;
    damage.events = until - at;
    damage.was_durable = at < durable_before_;
    tell(damage);
    ack(at, until - at);
    at = acked_.next_missing(until);
  }
}

void DiskQueue::tell(Damage damage) {
  (damage.was_durable ? damaged_events_ : unfinished_events_) += damage.events;
  if (damage_.size() < most_told) damage_.push_back(std::move(damage));
}

void DiskQueue::pass(Sequence until) {
  reading_ = std::max(reading_, until);
  if (reading_ != next_ || !is_writing_) return;
  Segment& segment = segments_.back();
  if (const auto old = segment_from(reading_segment_); old->number == reading_segment_ && &*old != &segment)
    old->file.reset();  // there is at least the one that is written to
  reading_segment_ = segment.number;
  scan_.emplace(*segment.file, segment.number, segment.used);
}

// ---- acknowledging

void DiskQueue::ack(Sequence first, std::uint64_t count) {
  acked_.add(first, first + count, [this](Sequence begin, Sequence end) {
    position_changed_ = true;
    // The last segment that begins at or before it, and on from there.
    auto segment = std::upper_bound(segments_.begin(), segments_.end(), begin,
                                    [](Sequence at, const Segment& one) { return at < one.first; });
    if (segment != segments_.begin()) --segment;
    for (; segment != segments_.end() && segment->first < end; ++segment) {
      const Sequence from = std::max(begin, segment->first);
      const Sequence until = std::min(end, segment->end);
      if (from >= until) continue;
      segment->unacked -= until - from;
      events_ -= until - from;
      has_done_ |= segment->unacked == 0 && &*segment != writing();
    }
  });
}

std::error_code DiskQueue::save_position(bool durable) {
  if (position_changed_ || written_durable_ != durable_)
    if (const auto error = write_position()) return error;
  if (!durable || !position_unsynced_) return {};
  if (const auto error = slots_[written_slot_]->sync()) {
    // Written once more into the same place, and synced again: the other one still holds.
    position_changed_ = true;
    return error;
  }
  durable_slot_ = written_slot_;
  position_unsynced_ = false;
  return {};
}

std::error_code DiskQueue::write_position() {
  const int slot = durable_slot_ == 0 ? 1 : 0;
  if (!slots_[slot]) {
    if (const auto error = storage_->open(std::string(position_names[slot]), Storage::Open::create, slots_[slot]))
      return error;
    std::error_code error = slots_[slot]->zero(0, position_room);
    if (!error) error = storage_->sync_names();
    if (error) {
      slots_[slot].reset();
      return error;
    }
  }
  Position position;
  position.generation = generation_ + 1;
  position.acked = acked_;
  position.durable = durable_;
  position.next = next_;
  std::string bytes;
  append_position(bytes, position);
  const std::array<std::string_view, 1> pieces{bytes};
  if (const auto error = slots_[slot]->write(0, pieces)) return error;
  ++generation_;
  written_slot_ = slot;
  written_durable_ = durable_;
  position_changed_ = false;
  position_unsynced_ = true;
  return {};
}

std::error_code DiskQueue::remove_done(bool for_room) {
  if (for_room && is_writing_ && segments_.back().unacked == 0 && segments_.back().used > SegmentHeader::size)
    end_segment();
  if (!has_done_) return {};
  if (const auto error = save_position(true)) return error;
  has_done_ = false;
  std::error_code result;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    if (segment->unacked > 0 || &*segment == writing()) {
      ++segment;
      continue;
    }
    std::error_code error;
    if (segment->damaged)
      error = storage_->rename(segment->name, segment->name + std::string(damaged_suffix));
    else if (!keep_as_spare(*segment))
      error = storage_->remove(segment->name);
    if (error && error != std::errc::no_such_file_or_directory) {
      result = error;
      has_done_ = true;
      ++segment;
      continue;
    }
    if (segment->damaged) kept_bytes_ += segment->size;
    bytes_ -= segment->size;
    if (segment->number == reading_segment_) scan_.reset();
    segment = segments_.erase(segment);
  }
  return result;
}

}  // namespace windlass::queue
