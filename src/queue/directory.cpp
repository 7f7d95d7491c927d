#include "queue/directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <windlass/error.h>

#include "base/files.h"

namespace windlass::queue {
namespace {

class PosixFile final : public File {
 public:
  explicit PosixFile(int descriptor) : descriptor_(descriptor) {}
  ~PosixFile() override { ::close(descriptor_); }

  std::error_code size(std::uint64_t& bytes) override {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return base::last_error();
    bytes = static_cast<std::uint64_t>(status.st_size);
    return {};
  }

  std::error_code read(std::uint64_t offset, std::span<char> to, std::size_t& got) override {
    got = 0;
    while (got < to.size()) {
      const ssize_t read = ::pread(descriptor_, to.data() + got, to.size() - got, static_cast<off_t>(offset + got));
      if (read == 0) return {};
      if (read < 0 && errno != EINTR) return base::last_error();
      if (read > 0) got += static_cast<std::size_t>(read);
    }
    return {};
  }

  std::error_code write(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    std::array<iovec, 8> vectors{};
    std::size_t count = 0;
    for (const std::string_view piece : pieces) {
      if (piece.empty()) continue;
      if (count == vectors.size()) {
        if (const auto error = write_all({vectors.data(), count}, offset)) return error;
        count = 0;
      }
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    return write_all({vectors.data(), count}, offset);
  }

  std::error_code zero(std::uint64_t offset, std::uint64_t bytes) override {
    static constexpr std::array<char, std::size_t{64} << 10> zeros{};
    while (bytes > 0) {
      std::array<iovec, 16> vectors{};
      std::size_t count = 0;
      std::uint64_t covered = 0;
      while (count < vectors.size() && covered < bytes) {
        const auto part = std::min<std::uint64_t>(bytes - covered, zeros.size());
        vectors[count++] = {const_cast<char*>(zeros.data()), static_cast<std::size_t>(part)};
        covered += part;
      }
      if (const auto error = write_all({vectors.data(), count}, offset)) return error;
      bytes -= covered;
    }
    return {};
  }

  std::error_code resize(std::uint64_t bytes) override {
    return ::ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0 ? std::error_code() : base::last_error();
  }

  std::error_code sync() override { return ::fdatasync(descriptor_) == 0 ? std::error_code() : base::last_error(); }

 private:
  /// Moves `offset` along.
  std::error_code write_all(std::span<iovec> vectors, std::uint64_t& offset) const {
    while (!vectors.empty()) {
      const ssize_t result =
          ::pwritev(descriptor_, vectors.data(), static_cast<int>(vectors.size()), static_cast<off_t>(offset));
      if (result < 0 && errno == EINTR) continue;
      if (result < 0) return base::last_error();
      if (result == 0) return std::make_error_code(std::errc::no_space_on_device);
      auto written = static_cast<std::size_t>(result);
      offset += written;
      while (!vectors.empty() && written >= vectors.front().iov_len) {
        written -= vectors.front().iov_len;
        vectors = vectors.subspan(1);
      }
      if (written > 0) {
        vectors.front().iov_base = static_cast<char*>(vectors.front().iov_base) + written;
        vectors.front().iov_len -= written;
      }
    }
    return {};
  }

  const int descriptor_;
};

}  // namespace

std::error_code Directory::open(const std::string& path, bool create, std::unique_ptr<Directory>& directory) {
  if (create) {
    std::error_code error;
    const bool created = std::filesystem::create_directories(path, error);
    if (error) return error;
    // Its name is to outlive a crash as well as what is in it.
    const std::string parent = std::filesystem::absolute(path, error).lexically_normal().parent_path().string();
    if (const int above = created ? ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1; above >= 0) {
      ::fsync(above);
      ::close(above);
    }
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return base::last_error();
  directory.reset(new Directory(path, descriptor));
  return {};
}

Directory::~Directory() {
  if (lock_ >= 0) ::close(lock_);
  ::close(descriptor_);
}

std::error_code Directory::lock() {
  lock_ = ::openat(descriptor_, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0 && (errno == EROFS || errno == EACCES)) {
    lock_ = ::openat(descriptor_, "lock", O_RDONLY | O_CLOEXEC);
    // Where nobody can write there is nothing to be kept from.
    if (lock_ < 0 && (errno == ENOENT || errno == EROFS)) return {};
  }
  if (lock_ < 0) return base::last_error();
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    const std::error_code error = base::last_error();
    std::array<char, 16> text{};
    const ssize_t length = ::pread(lock_, text.data(), text.size(), 0);
    if (length > 0) std::from_chars(text.data(), text.data() + length, holder_);
    ::close(lock_);
    lock_ = -1;
    return taken ? make_error_code(errc::queue_in_use) : error;
  }
  // For people who are kept out; nothing depends on it.
  const std::string number = std::to_string(::getpid()) + '\n';
  if (::ftruncate(lock_, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(lock_, number.data(), number.size(), 0);
  return {};
}

std::error_code Directory::list(std::vector<std::string>& names) {
  const int copy = ::openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return base::last_error();
  DIR* stream = ::fdopendir(copy);
  if (stream == nullptr) {
    const std::error_code error = base::last_error();
    ::close(copy);
    return error;
  }
  names.clear();
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) names.emplace_back(entry->d_name);
  const std::error_code error = errno != 0 ? base::last_error() : std::error_code();
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return error;
}

std::error_code Directory::open(const std::string& name, Open how, std::unique_ptr<File>& file) {
  const int flags = how == Open::to_read ? O_RDONLY : how == Open::to_write ? O_RDWR : O_RDWR | O_CREAT | O_TRUNC;
  const int descriptor = ::openat(descriptor_, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return base::last_error();
  file = std::make_unique<PosixFile>(descriptor);
  return {};
}

std::error_code Directory::rename(const std::string& from, const std::string& to) {
  return ::renameat(descriptor_, from.c_str(), descriptor_, to.c_str()) == 0 ? std::error_code() : base::last_error();
}

std::error_code Directory::remove(const std::string& name) {
  return ::unlinkat(descriptor_, name.c_str(), 0) == 0 ? std::error_code() : base::last_error();
}

std::error_code Directory::sync_names() {
  return ::fsync(descriptor_) == 0 ? std::error_code() : base::last_error();
}

}  // namespace windlass::queue
