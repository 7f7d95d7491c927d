// What a sink received, on disk.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "runtime/line_file.h"

namespace windlass::app {

/// Appends events to a file, one a line, as they came; runtime::LineFile says what the file is like.
///
/// What was flushed is with the kernel: it survives the death of this process, though not that of the machine. Several
/// connections share a recorder, and what failed for one of them failed for all: the error stays. Not thread-safe.
class Recorder {
 public:
  /// Opens the file, or makes it. Throws std::system_error that names it.
  explicit Recorder(const std::string& path);
  /// Flushes.
  ~Recorder() { flush(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Takes the event into memory. After an error it does nothing.
  void add(std::string_view event) {
    if (!error_) file_.add(event);
  }
  /// Writes what was added. Once it has failed it will always say so: then what was added last may not be in the file.
  std::error_code flush() {
    if (!error_) error_ = file_.flush().error;
    return error_;
  }

  std::error_code error() const noexcept { return error_; }
  /// Bytes of a line without its end that the opening removed; the writer died, and never acknowledged that event.
  std::size_t cut_bytes() const noexcept { return file_.cut_bytes(); }

 private:
  runtime::LineFile file_;
  std::error_code error_;
};

}  // namespace windlass::app
