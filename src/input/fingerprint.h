// By what a file is known again: its first bytes, and some further in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "input/file_system.h"

namespace windlass::input {

/// The first 8 bytes of SHA-256, as a big-endian number.
std::uint64_t hash_of(std::string_view bytes);

inline constexpr std::size_t fingerprint_bytes = 256;

/// The first bytes of a file, up to fingerprint_bytes; fewer while the file is shorter. A file that only grows matches
/// the fingerprint that it once had.
struct Fingerprint {
  std::uint32_t length = 0;
  std::uint64_t hash = 0;

  bool whole() const { return length == fingerprint_bytes; }
  /// `head` is what the file begins with now.
  bool matches(std::string_view head) const;
  static Fingerprint of(std::string_view head);

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// The fingerprint_bytes bytes before `end`. It tells a copy of a file from another file that begins in the same way.
struct Mark {
  std::uint64_t end = 0;  ///< 0: there is none
  std::uint64_t hash = 0;

  friend bool operator==(const Mark&, const Mark&) = default;
};

/// Where the mark of a file stands that was read up to `offset`: the largest number of three significant bits up to
/// there, so that it is seldom renewed, and not so near to the end that a copy which was made a moment ago lacks it; 0
/// where the fingerprint says as much.
std::uint64_t mark_end(std::uint64_t offset);

/// Reads the bytes [offset, offset + size), or as many of them as there are.
std::error_code read_at(OpenFile& file, std::uint64_t offset, std::size_t size, std::string& to);

/// The id of what is in a file, which is a part of the ids of its events. It is made of what stays the same while the
/// file only grows, so that it is found again even where no registry remembers it: the file's device, inode and time of
/// birth, its first line (or the first fingerprint_bytes bytes of that), and how often content of this file has been
/// replaced so far. Never 0.
std::uint64_t identity_of(const FileStatus& status, std::string_view head, std::uint32_t generation);

/// Whether identity_of(…) will stay the same while the file grows: the first line is complete.
bool identity_is_settled(std::string_view head);

}  // namespace windlass::input
