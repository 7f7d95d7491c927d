#include "input/registry_directory.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

namespace windlass::input {
namespace {

/// Of the log that is read. Far above what Registry lets it grow to.
constexpr std::size_t max_log_bytes = std::size_t{1} << 30;

void close_and_forget(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

RegistryDirectory::~RegistryDirectory() {
  close_and_forget(log_);
  close_and_forget(lock_);
}

std::error_code RegistryDirectory::open(const std::string& path) {
  path_ = path;
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return error;
  lock_ = ::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return base::last_error();
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  error = base::last_error();
  return error == std::errc::operation_would_block ? std::make_error_code(std::errc::device_or_resource_busy) : error;
}

std::error_code RegistryDirectory::read(std::string& to) {
  const int descriptor = ::open((path_ + "/positions").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return errno == ENOENT ? std::error_code() : base::last_error();
  struct stat status {};
  std::error_code error;
  if (::fstat(descriptor, &status) != 0) {
    error = base::last_error();
  } else if (static_cast<std::uint64_t>(status.st_size) > max_log_bytes) {
    error = std::make_error_code(std::errc::file_too_large);
  } else {
    to.resize(static_cast<std::size_t>(status.st_size));
    std::size_t length = 0;
    while (length < to.size()) {
      const ssize_t got = ::read(descriptor, to.data() + length, to.size() - length);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error = base::last_error();
      if (got <= 0) break;
      length += static_cast<std::size_t>(got);
    }
    to.resize(length);
  }
  ::close(descriptor);
  return error;
}

std::error_code RegistryDirectory::append(std::string_view bytes) {
  if (log_ < 0) log_ = ::open((path_ + "/positions").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (log_ < 0) return base::last_error();
  if (const std::error_code error = base::write_all(log_, bytes)) return error;
  return ::fdatasync(log_) == 0 ? std::error_code() : base::last_error();
}

std::error_code RegistryDirectory::replace(std::string_view bytes) {
  const std::string target = path_ + "/positions";
  const std::string temporary = target + ".new";
  int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return base::last_error();
  std::error_code error = base::write_all(descriptor, bytes);
  if (!error && ::fsync(descriptor) != 0) error = base::last_error();
  if (::close(descriptor) != 0 && !error) error = base::last_error();
  if (!error && std::rename(temporary.c_str(), target.c_str()) != 0) error = base::last_error();
  if (error) {
    ::unlink(temporary.c_str());
    return error;
  }
  close_and_forget(log_);
  return base::sync_directory(path_);
}

std::error_code RegistryDirectory::keep_aside() {
  std::error_code error;
  std::filesystem::copy_file(path_ + "/positions", damaged_path(), std::filesystem::copy_options::overwrite_existing,
                             error);
  return error;
}

}  // namespace windlass::input
