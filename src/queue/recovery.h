// Finds out what a directory holds, whatever was done to it. Reads only.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "queue/format.h"
#include "queue/position.h"
#include "queue/storage.h"

namespace windlass::queue {

/// Something that is not as it was written.
struct Damage {
  enum class Kind {
    unreadable_bytes,    ///< bytes in a segment that are no record
    unreadable_events,   ///< a record whose events are not what was written
    missing_events,      ///< numbers of events that no record has: a segment is missing, or was cut short
    unreadable_segment,  ///< a file that could not be read, or is not what its name says
    unreadable_position  ///< what had been acknowledged is known less well, so more is sent again
  };
  Kind kind = Kind::unreadable_bytes;
  std::string file;          ///< empty where none is to blame
  std::uint64_t offset = 0;  ///< of the damaged bytes in it
  std::uint64_t bytes = 0;
  Sequence first = 0;  ///< the events that it costs
  std::uint64_t events = 0;
  /// False for what lay behind the last sync that is known of: its write was not finished when the system went down,
  /// or was never confirmed.
  bool was_durable = true;
};
/// "0000000003.seg: bytes 96 to 152 cannot be read: ..."
std::string to_string(const Damage& damage);

/// A segment and what it is good for.
struct SegmentState {
  std::uint64_t number = 0;
  std::string name;
  Sequence first = 0;      ///< of the first event that it can have
  Sequence end = 0;        ///< behind the last one
  std::uint64_t used = 0;  ///< bytes up to the end of the last record
  std::uint64_t size = 0;  ///< bytes of the file
  bool damaged = false;    ///< to be kept when it is done with
};

struct Recovery {
  std::vector<SegmentState> segments;  ///< by number; those that hold or may hold events
  std::vector<std::string> empty;      ///< segments in which nothing was ever written
  std::uint64_t spare_bytes = 0;       ///< of the file that is to become a segment again; 0: there is none
  std::vector<std::string> set_aside;  ///< files that are to be renamed, as they are of no use
  Position position;                   ///< with the lost events as acknowledged
  int position_slot = -1;              ///< the one that it comes from; -1: none was found
  bool is_new = true;                  ///< nothing of a queue is there
  std::vector<Damage> damage;
  std::uint64_t next_number = 1;  ///< of the next segment
  Sequence next = 0;              ///< of the next event
  std::uint64_t kept_bytes = 0;   ///< of files that were kept because of damage
};

/// The names of the two files that the position is written to in turn.
inline constexpr std::string_view position_names[] = {"position.a", "position.b"};
/// The name of a segment that was done with, until it is used again. Nothing in it counts.
inline constexpr std::string_view spare_name = "spare";

/// An error of the storage, or errc::unknown_format; damage is no error.
std::error_code recover(Storage& storage, Recovery& recovery);

/// Reads a whole file that is at most `most` bytes long.
std::error_code read_file(Storage& storage, const std::string& name, std::uint64_t most, std::string& content);

}  // namespace windlass::queue
