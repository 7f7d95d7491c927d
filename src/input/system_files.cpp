#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "input/file_system.h"

namespace windlass::input {
namespace {

std::int64_t nanoseconds(const statx_timestamp& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::error_code look(int directory, const char* path, int flags, FileStatus& to) {
  struct statx found {};
  if (::statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return base::last_error();
  to.key = {(std::uint64_t{found.stx_dev_major} << 32) | found.stx_dev_minor, found.stx_ino};
  to.size = found.stx_size;
  to.born = (found.stx_mask & STATX_BTIME) != 0 ? nanoseconds(found.stx_btime) : 0;
  to.modified = nanoseconds(found.stx_mtime);
  to.links = found.stx_nlink;
  to.regular = S_ISREG(found.stx_mode);
  to.directory = S_ISDIR(found.stx_mode);
  return {};
}

DirectoryEntry::Kind kind_of(unsigned char type) {
  switch (type) {
    case DT_REG:
      return DirectoryEntry::Kind::file;
    case DT_DIR:
      return DirectoryEntry::Kind::directory;
    case DT_LNK:
      return DirectoryEntry::Kind::link;
    case DT_UNKNOWN:
      return DirectoryEntry::Kind::unknown;
    default:
      return DirectoryEntry::Kind::other;
  }
}

class Descriptor final : public OpenFile {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() override { ::close(descriptor_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  std::error_code status(FileStatus& to) override { return look(descriptor_, "", AT_EMPTY_PATH, to); }
  std::error_code read(std::uint64_t offset, char* to, std::size_t size, std::size_t& got) override {
    ssize_t count;
    do count = ::pread(descriptor_, to, size, static_cast<off_t>(offset));
    while (count < 0 && errno == EINTR);
    if (count < 0) return base::last_error();
    got = static_cast<std::size_t>(count);
    return {};
  }

 private:
  int descriptor_;
};

}  // namespace

std::unique_ptr<OpenFile> take_over(int descriptor) {
  return std::make_unique<Descriptor>(descriptor);
}

std::error_code SystemFiles::status(const std::string& path, FileStatus& to) {
  return look(AT_FDCWD, path.c_str(), 0, to);
}

bool SystemFiles::is_link(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
}

std::error_code SystemFiles::list(const std::string& directory, std::vector<DirectoryEntry>& to) {
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return base::last_error();
  std::error_code error;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(open);
    if (entry == nullptr) {
      if (errno != 0) error = base::last_error();
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") to.push_back({std::string(name), entry->d_ino, kind_of(entry->d_type)});
  }
  ::closedir(open);
  return error;
}

std::error_code SystemFiles::open(const std::string& path, std::unique_ptr<OpenFile>& to) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) return base::last_error();
  to = take_over(descriptor);
  return {};
}

}  // namespace windlass::input
