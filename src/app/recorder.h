// What a sink received, on disk.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "base/bytes.h"

namespace windlass::app {

/// Appends events to a file, one a line, as they came. A newline inside an event, which JSON allows only where it means
/// nothing, becomes a space.
///
/// What was flushed is with the kernel: it survives the death of this process, though not that of the machine. A last
/// line without its end, left by a process that died while it wrote (and never acknowledged that event), is cut off
/// when the file is opened. A file has one recorder at a time. Not thread-safe.
class Recorder {
 public:
  /// Opens the file, or makes it; it may also be a device or a pipe. Throws std::system_error that names it.
  explicit Recorder(const std::string& path);
  /// Flushes.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Takes the event into memory. After an error it does nothing.
  void add(std::string_view event);
  /// Writes what was added. Once it has failed it will always say so: then what was added last may not be in the file.
  std::error_code flush();

  std::error_code error() const noexcept { return error_; }
  /// Bytes that the cut at the opening removed.
  std::size_t cut_bytes() const noexcept { return cut_bytes_; }

 private:
  void own_and_repair();

  int descriptor_;
  std::size_t cut_bytes_ = 0;
  base::ByteQueue pending_;
  std::error_code error_;
};

}  // namespace windlass::app
