// A file or standard input, open for reading.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace windlass::app {

/// An input that is open, and who it is. Move-only; closes its descriptor, except that of standard input.
class Input {
 public:
  Input() = default;
  Input(Input&& other) noexcept;
  Input& operator=(Input&& other) noexcept;
  ~Input();

  /// Opens the file at `path`; "-" is standard input, which is read from where it stands. An error of the system's,
  /// std::errc::is_a_directory among them; nothing is thrown.
  static std::error_code open(const std::string& path, Input& to);

  int descriptor() const noexcept { return descriptor_; }
  /// As it was given to open().
  const std::string& path() const noexcept { return path_; }
  /// A file that can be read without waiting, whose content has positions.
  bool regular() const noexcept { return regular_; }
  /// Where reading begins: 0, but for a standard input that was read before.
  std::uint64_t offset() const noexcept { return offset_; }
  /// Bytes of a regular file when it was opened, for progress; 0 for others.
  std::uint64_t size() const noexcept { return size_; }
  /// For ids of events. Of a regular file it is what it would be if the file were followed, see input::identity_of(),
  /// so that it survives a renaming and a second run, and other content has another one. Of anything else it is random:
  /// what comes through a pipe next time is something else.
  std::uint64_t identity() const noexcept { return identity_; }

 private:
  std::error_code look();

  int descriptor_ = -1;
  std::string path_;
  bool regular_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t identity_ = 0;
};

}  // namespace windlass::app
