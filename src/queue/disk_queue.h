// The queue on disk: a log of what was accepted, in segments, and a position that says what of it is done with.
//
// Events get consecutive numbers as they are appended. They are read back in that order, and acknowledged in any. A
// segment of which everything is acknowledged is removed. docs/queue-format.md has the bytes, and says what survives
// which kind of crash:
//   - after sync(), what was appended before is found again by open(), whatever happens to process and system;
//   - what was acknowledged before the last save_position(durable) that succeeded is never read again;
//   - an acknowledgement since then may be forgotten in a crash, and its events are read once more.
//
// Damage never keeps the queue from opening. It costs what it hit, and what it cost is told.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <windlass/event_buffer.h>

#include "queue/format.h"
#include "queue/position.h"
#include "queue/recovery.h"
#include "queue/segment_scan.h"
#include "queue/storage.h"

namespace windlass::queue {

struct DiskQueueOptions {
  /// Bytes of all segments together. At least two segments.
  std::uint64_t max_size = std::uint64_t{10} << 30;
  /// A segment that has reached this is followed by another one. A record that is larger has a segment of its own.
  std::uint64_t segment_size = std::uint64_t{64} << 20;
};

/// Not thread-safe. No call blocks but for the disk.
class DiskQueue {
 public:
  using Options = DiskQueueOptions;

  /// Locks the storage, finds out what is there, and sets aside what is of no use. A storage that cannot be written to
  /// opens too, and can be read. An error: of the storage, errc::queue_in_use, errc::unknown_format.
  static std::error_code open(std::unique_ptr<Storage> storage, Options options, std::unique_ptr<DiskQueue>& queue);
  /// Syncs and saves the position, as far as that works.
  ~DiskQueue();
  DiskQueue(const DiskQueue&) = delete;
  DiskQueue& operator=(const DiskQueue&) = delete;

  // Writing.

  /// Writes the events as one record. errc::queue_full where max_size leaves no room now, errc::too_large where it
  /// never will; or an error of the storage, after which the same may be tried again.
  std::error_code append(const EventBuffer& events, bool guaranteed, Sequence& first);
  /// Everything appended so far is durable. After an error nothing is known of what was appended since the last
  /// success: it is forgotten here, and is to be appended again.
  std::error_code sync();
  /// Everything below was synced.
  Sequence durable() const { return durable_; }

  // Reading.

  /// Whether something may be there to be read.
  bool has_unread() const { return reading_ < next_; }
  /// Nothing below is still to be read.
  Sequence reading() const { return reading_; }
  /// What is read is forgotten here; it comes again only after a new open(), unless it is acknowledged.
  struct Stored {
    EventBuffer events;
    Sequence first = 0;  ///< they are numbered on from here
    bool guaranteed = false;
  };
  /// The next consecutive events that are not acknowledged. False: there are none. Those that turn out to be damaged
  /// are passed over, count as acknowledged, and stand in damage().
  bool read(Stored& stored);
  /// What is below `until` need not be read: the caller still has it.
  void pass(Sequence until);

  // Acknowledging.

  void ack(Sequence first, std::uint64_t count);
  /// Stores what is acknowledged; with `durable`, so that it outlives a crash of the system. Does nothing when nothing
  /// has changed.
  std::error_code save_position(bool durable);
  bool position_is_stale() const { return position_changed_ || written_durable_ != durable_; }
  /// Removes segments that are done with, after a durable save_position, but for one that is kept to be used again:
  /// what is written over costs the file system less than what is new. `for_room`: also ends the one that is written
  /// to, if it is done with.
  std::error_code remove_done(bool for_room = false);
  /// Whether remove_done() may find something.
  bool has_done() const { return has_done_; }

  // Getters.

  Sequence next() const { return next_; }
  /// Events that are stored and not acknowledged.
  std::uint64_t events() const { return events_; }
  /// Bytes of all segments, and of one that is kept to be used again.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t kept_bytes() const { return kept_bytes_; }
  std::size_t segments() const { return segments_.size(); }
  /// What was found by open(), and what read() has found since.
  const std::vector<Damage>& damage() const { return damage_; }
  /// Events that it cost: those that were durable, and others.
  std::uint64_t damaged_events() const { return damaged_events_; }
  std::uint64_t unfinished_events() const { return unfinished_events_; }

 private:
  struct Segment : SegmentState {
    std::uint64_t unacked = 0;   ///< events
    std::unique_ptr<File> file;  ///< while it is written to or read
    bool needs_sync = false;
    bool reused = false;  ///< and being written to
  };

  DiskQueue(std::unique_ptr<Storage> storage, Options options) : storage_(std::move(storage)), options_(options) {}
  std::error_code start();

  Segment* writing() { return is_writing_ ? &segments_.back() : nullptr; }
  std::error_code begin_segment(std::uint64_t record_size);
  std::error_code create_file(Segment& segment);
  std::error_code reuse_spare(Segment& segment);
  bool keep_as_spare(const Segment& segment);
  void drop_spare();
  void end_segment();
  void give_back_room(Segment& segment);
  std::string_view blank_behind(const Segment& segment, std::uint64_t offset) const;
  std::error_code make_room(Segment& segment, std::uint64_t record_size);
  std::error_code sync_segment(Segment& segment);
  void forget_unsynced();
  std::error_code open_file(Segment& segment);
  std::deque<Segment>::iterator segment_from(std::uint64_t number);

  bool next_record(Record& record, Segment*& segment);
  bool load(const Record& record, Segment& segment);
  bool take_part(Stored& stored);
  void lose(Segment& segment, Damage damage);
  void tell(Damage damage);

  std::error_code write_position();

  const std::unique_ptr<Storage> storage_;
  const Options options_;

  std::deque<Segment> segments_;  ///< by number, and so by the numbers of their events
  bool is_writing_ = false;       ///< to the last one
  bool has_done_ = false;
  std::uint64_t next_number_ = 1;
  Sequence next_ = 0;
  Sequence durable_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t spare_bytes_ = 0;  ///< of a segment that is done with and waits to be used again; part of bytes_
  std::string front_;              ///< header and table of the record that is being written

  // The reader.
  Sequence reading_ = 0;               ///< no event below is still to be read
  std::uint64_t reading_segment_ = 0;  ///< its number; or nothing is left below it
  std::optional<SegmentScan> scan_;    ///< of that segment
  EventBuffer loaded_;                 ///< a record that is handed out in parts, as some of it is acknowledged
  Record loaded_record_;
  Sequence loaded_from_ = 0;  ///< where the next part may begin
  bool has_loaded_ = false;

  // The position.
  Acked acked_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<File> slots_[2];
  int durable_slot_ = -1;           ///< not to be overwritten until the other one is durable
  int written_slot_ = -1;           ///< where it was written last
  bool position_changed_ = true;    ///< since it was written
  bool position_unsynced_ = false;  ///< since it was synced
  Sequence written_durable_ = 0;    ///< durable_ as it was written

  std::vector<Damage> damage_;
  std::uint64_t damaged_events_ = 0;
  std::uint64_t unfinished_events_ = 0;
  Sequence durable_before_ = 0;  ///< everything below was durable when the queue was opened
};

}  // namespace windlass::queue
