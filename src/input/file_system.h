// What following files needs of a file system: a seam, so that rotation, truncation and crashes can be tried in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace windlass::input {

/// Which file it is, whatever it is called. A number may be used again once the file is gone.
struct FileKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend auto operator<=>(const FileKey&, const FileKey&) = default;
};

struct FileStatus {
  FileKey key;
  std::uint64_t size = 0;
  std::int64_t born = 0;      ///< time of birth, nanoseconds since 1970; 0 where the file system does not know it
  std::int64_t modified = 0;  ///< nanoseconds since 1970
  std::uint64_t links = 0;    ///< names that it has; 0: deleted, and kept by whoever has it open
  bool regular = false;
  bool directory = false;
};

/// A file that is open for reading, whatever happens to its name.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual std::error_code status(FileStatus& to) = 0;
  /// Reads up to `size` bytes from `offset` on, in one call; `got` 0 is the end.
  virtual std::error_code read(std::uint64_t offset, char* to, std::size_t size, std::size_t& got) = 0;
};

struct DirectoryEntry {
  enum class Kind { file, directory, link, other, unknown };

  std::string name;
  std::uint64_t inode = 0;
  Kind kind = Kind::unknown;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Of the file at the end of symbolic links.
  virtual std::error_code status(const std::string& path, FileStatus& to) = 0;
  virtual bool is_link(const std::string& path) = 0;
  /// In any order, without "." and "..".
  virtual std::error_code list(const std::string& directory, std::vector<DirectoryEntry>& to) = 0;
  /// Never waits, whatever is at that path.
  virtual std::error_code open(const std::string& path, std::unique_ptr<OpenFile>& to) = 0;
};

/// The file that this descriptor is of, which is closed with it.
std::unique_ptr<OpenFile> take_over(int descriptor);

/// The system's own.
class SystemFiles final : public FileSystem {
 public:
  std::error_code status(const std::string& path, FileStatus& to) override;
  bool is_link(const std::string& path) override;
  std::error_code list(const std::string& directory, std::vector<DirectoryEntry>& to) override;
  std::error_code open(const std::string& path, std::unique_ptr<OpenFile>& to) override;
};

}  // namespace windlass::input
