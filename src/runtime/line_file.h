// Lines in a file, rotated by size: for the file output, a sink's record, and dead letters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/bytes.h"

namespace windlass::runtime {

struct LineFileOptions {
  /// "-" is standard output. It may also be a device or a pipe. Only a regular file is locked, repaired and rotated.
  std::string path;
  /// The file makes room for a new one before it grows beyond so many bytes; only a single line may make it larger.
  /// 0: never.
  std::uint64_t rotate_bytes = 0;
  /// How many are kept, with the one that is written to: PATH, PATH.1 (the one before), PATH.2, ... At least 2.
  unsigned number_of_files = 7;
  /// Of a new file, before umask.
  unsigned permissions = 0666;
  /// What flush() wrote survives the death of the machine, too; else that of this process alone.
  bool sync = false;
};

/// Appends lines to a file. Blocks. Not thread-safe. A file has one LineFile at a time, in whatever process.
///
/// A line is in the file whole, or not at all: what a full disk leaves of one is cut off again at once. What the death
/// of a process leaves is cut off when the file is opened next, up to max_torn bytes; a longer rest without a newline
/// is no line of ours, and gets its newline instead. Where nothing can be cut off (a pipe), a line that was begun is
/// ended before the next one is written.
class LineFile {
 public:
  static constexpr std::size_t max_torn = std::size_t{16} << 20;

  explicit LineFile(LineFileOptions options) : options_(std::move(options)) {}
  /// Closes.
  ~LineFile() { close(); }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// Opens the file, or makes it. std::errc::device_or_resource_busy where another LineFile has it.
  std::error_code open();
  /// What was added and not flushed is forgotten.
  void close() noexcept;
  bool is_open() const noexcept { return descriptor_ >= 0; }

  /// Takes a line into memory, without its newline; one inside of it, which JSON allows only where it means nothing,
  /// becomes a space. Of much it writes some already; where that fails, flush() tells.
  void add(std::string_view line);

  struct Flushed {
    std::size_t lines = 0;  ///< of those that were added since the last flush: the first so many are in the file
    std::error_code error;  ///< why the others are not; they are forgotten
  };
  /// Writes what was added. After an error it is best to close, and to open again.
  Flushed flush();

  /// Bytes that the cut at the last opening removed.
  std::size_t cut_bytes() const noexcept { return cut_bytes_; }
  const std::string& path() const noexcept { return options_.path; }

 private:
  std::error_code own_and_repair();
  std::error_code write_pending();
  std::error_code make_durable();
  std::error_code rotate();
  void cut_off(std::size_t bytes);

  LineFileOptions options_;
  int descriptor_ = -1;
  bool regular_ = false;
  std::uint64_t size_ = 0;
  std::size_t cut_bytes_ = 0;
  bool begun_ = false;       // the file ends inside of a line
  base::ByteQueue pending_;  // added, not written
  std::size_t pending_lines_ = 0;
  std::size_t written_lines_ = 0;  // since the last flush,
  std::size_t durable_lines_ = 0;  // and those of them that are not waiting for make_durable()
  std::size_t unsafe_bytes_ = 0;   // at the end of the file, which do wait for it
  std::error_code error_;          // since the last flush
};

}  // namespace windlass::runtime
