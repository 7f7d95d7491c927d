// What is remembered of files across runs: which they are, and how far they are delivered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "input/file_system.h"
#include "input/fingerprint.h"

namespace windlass::input {

struct FileEntry {
  enum class State {
    live,  ///< it grows, or may
    lost,  ///< its file holds something else now: what it held may still turn up as a copy
    copy,  ///< a copy that was made of it before its file was truncated; it does not grow
  };

  std::uint64_t identity = 0;    ///< identity_of(); what the entry is called by
  std::uint32_t generation = 0;  ///< how often the content of its file had been replaced
  State state = State::live;
  FileKey key;
  FileKey origin;  ///< the file that the identity was made of: for a copy, the one that was truncated
  std::int64_t born = 0;
  Fingerprint fingerprint;
  Mark mark;
  std::uint64_t position = 0;   ///< everything before it is delivered
  std::int64_t gone_since = 0;  ///< seconds since 1970; 0: it is there
  std::string path;             ///< where it was found first

  friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

/// Where the registry's bytes are kept: one file, which is appended to and replaced as a whole.
class RegistryStorage {
 public:
  virtual ~RegistryStorage() = default;
  /// All of it; nothing where there is none yet.
  virtual std::error_code read(std::string& to) = 0;
  /// Adds at the end; durable once it returns. After an error, any part of it may be there.
  virtual std::error_code append(std::string_view bytes) = 0;
  /// Puts these bytes in the place of all; durable once it returns. After an error, the old ones are there, or the new.
  virtual std::error_code replace(std::string_view bytes) = 0;
  /// Keeps a copy of what is there, for people to look at.
  virtual std::error_code keep_aside() = 0;
};

/// A log of lines, of which the last one of a file counts:
///
///   windlass-positions 1
///   CHECKSUM + IDENTITY GENERATION STATE DEVICE INODE ORIGIN_DEVICE ORIGIN_INODE BORN LENGTH HASH MARK_END
///     MARK_HASH POSITION GONE_SINCE PATH                                           (in one line)
///   CHECKSUM - IDENTITY
///
/// Identities, hashes and checksums have 16 hexadecimal digits, all else is decimal; a checksum is hash_of() what
/// follows the blank behind it. In a path, bytes up to 0x20, 0x7f and "%" are written as %XX. The log is written anew
/// when most of it is out of date, so its size is bounded by that of its entries. A line that was torn by a crash is
/// passed over.
///
/// A position never runs ahead of what is delivered, so that a lost line costs duplicates, and nothing else.
class Registry {
 public:
  explicit Registry(RegistryStorage& storage) : storage_(storage) {}

  struct Loaded {
    std::error_code error;          ///< it cannot be read at all
    std::size_t damaged_lines = 0;  ///< passed over, its first line or those in the midst of the log
    bool foreign = false;           ///< of another version, or no line of it can be read: nothing of it is used
    std::error_code aside_error;    ///< what is damaged or foreign could not be kept aside
  };
  /// Once, at first. What is damaged or foreign is kept aside, and the log begins anew with the next save().
  Loaded load();

  const std::unordered_map<std::uint64_t, FileEntry>& entries() const { return entries_; }

  /// Takes over the entries that are not as before, and forgets the removed ones. Durable where it returns no error;
  /// else it is tried again, with all that is new, at the next call.
  std::error_code save(std::span<const FileEntry> changed, std::span<const std::uint64_t> removed);

 private:
  std::error_code rewrite();

  RegistryStorage& storage_;
  std::unordered_map<std::uint64_t, FileEntry> entries_;
  std::size_t log_bytes_ = 0;
  std::size_t live_bytes_ = 0;  // about what the log needs
  bool rewrite_ = false;        // the log is not to be appended to
};

}  // namespace windlass::input
