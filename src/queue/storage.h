// The seam between the queue and the disk: one directory and its files. Small, so that tests can put a disk in its
// place that crashes at any of these calls, and loses or tears what was not synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace windlass::queue {

/// An open file. Closed by the destructor. Not thread-safe.
class File {
 public:
  File() = default;
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  virtual std::error_code size(std::uint64_t& bytes) = 0;
  /// Fills `to` from `offset` on; `got` is less than asked for only at the end of the file.
  virtual std::error_code read(std::uint64_t offset, std::span<char> to, std::size_t& got) = 0;
  /// Writes the pieces one after another from `offset` on. After an error any part of them may be written.
  virtual std::error_code write(std::uint64_t offset, std::span<const std::string_view> pieces) = 0;
  /// Makes zeros of `bytes` bytes from `offset` on, written out, so that later writes there change neither the length
  /// of the file nor what the file system knows of it.
  virtual std::error_code zero(std::uint64_t offset, std::uint64_t bytes) = 0;
  virtual std::error_code resize(std::uint64_t bytes) = 0;
  /// What was written, and the length, outlives a crash of the system. After an error, what was not durable before may
  /// be lost, and a later success says nothing of it.
  virtual std::error_code sync() = 0;
};

/// A directory. The names in it are plain names without a slash.
class Storage {
 public:
  Storage() = default;
  virtual ~Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Keeps others out until this object ends. errc::queue_in_use where somebody else has it.
  virtual std::error_code lock() = 0;
  virtual std::error_code list(std::vector<std::string>& names) = 0;
  enum class Open { to_read, to_write, create };
  /// `create` makes a new file, or empties the old one.
  virtual std::error_code open(const std::string& name, Open how, std::unique_ptr<File>& file) = 0;
  /// Takes the place of a file of the new name.
  virtual std::error_code rename(const std::string& from, const std::string& to) = 0;
  virtual std::error_code remove(const std::string& name) = 0;
  /// Creations, renames and removals so far outlive a crash of the system.
  virtual std::error_code sync_names() = 0;
};

}  // namespace windlass::queue
