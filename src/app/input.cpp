#include "app/input.h"

#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/random.h"

namespace windlass::app {
namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  return base::Random(hash ^ value)();
}

std::uint64_t identity_of(const struct statx& status) {
  std::uint64_t hash = mixed(0, (std::uint64_t{status.stx_dev_major} << 32) | status.stx_dev_minor);
  hash = mixed(hash, status.stx_ino);
  if ((status.stx_mask & STATX_BTIME) != 0) {
    hash = mixed(hash, static_cast<std::uint64_t>(status.stx_btime.tv_sec));
    hash = mixed(hash, status.stx_btime.tv_nsec);
  }
  return hash;
}

std::uint64_t random_identity() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Input::Input(Input&& other) noexcept {
  *this = std::move(other);
}

Input& Input::operator=(Input&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  path_ = std::move(other.path_);
  regular_ = other.regular_;
  offset_ = other.offset_;
  size_ = other.size_;
  identity_ = other.identity_;
  return *this;
}

Input::~Input() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

std::error_code Input::open(const std::string& path, Input& to) {
  Input input;
  input.path_ = path;
  if (path == "-") {
    input.descriptor_ = STDIN_FILENO;
  } else if (path.find('\0') != std::string::npos) {
    return std::make_error_code(std::errc::invalid_argument);
  } else {
    input.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (input.descriptor_ < 0) return last_error();
  }
  if (const std::error_code error = input.look()) return error;
  to = std::move(input);
  return {};
}

std::error_code Input::look() {
  struct statx status {};
  if (::statx(descriptor_, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) return last_error();
  if (S_ISDIR(status.stx_mode)) return std::make_error_code(std::errc::is_a_directory);
  regular_ = S_ISREG(status.stx_mode);
  if (!regular_) {
    identity_ = random_identity();
    return {};
  }
  identity_ = identity_of(status);
  size_ = status.stx_size;
  const off_t at = ::lseek(descriptor_, 0, SEEK_CUR);
  if (at < 0) return last_error();
  offset_ = static_cast<std::uint64_t>(at);
#ifdef POSIX_FADV_SEQUENTIAL
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return {};
}

}  // namespace windlass::app
