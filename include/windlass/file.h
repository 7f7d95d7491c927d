// Windlass: files and standard output, which get an event a line.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <windlass/workers.h>

namespace windlass {

struct FileOptions {
  /// "-" is standard output. It may also be a device or a pipe; only a regular file is locked, repaired and rotated.
  std::string path;
  /// The file makes room for a new one before it grows beyond so many bytes; 0: never.
  std::uint64_t rotate_bytes = 0;
  /// How many are kept, with the one that is written to: PATH, PATH.1 (the one before), PATH.2, ... At least 2. What is
  /// older is removed.
  unsigned number_of_files = 7;
  /// Of a new file, before umask.
  unsigned permissions = 0600;
  /// An acknowledged event survives the death of the machine; else that of this process alone.
  bool sync = false;
  /// As Worker has them.
  std::chrono::nanoseconds wait_retry = std::chrono::seconds(1);
  std::chrono::nanoseconds max_wait_retry = std::chrono::seconds(60);

  friend bool operator==(const FileOptions&, const FileOptions&) = default;
};

/// One worker that appends events to a file, each in a line of its own; a newline inside of an event, which JSON allows
/// only where it means nothing, becomes a space. A line is in the file whole or not at all, so that a full disk costs
/// nothing but time. A file has one writer at a time. The factory throws std::invalid_argument for an empty path.
WorkerFactory file_workers(FileOptions options);

}  // namespace windlass
