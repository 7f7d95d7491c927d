#include "app/input.h"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <random>
#include <unistd.h>
#include <utility>

#include "base/files.h"
#include "input/file_system.h"
#include "input/fingerprint.h"

namespace windlass::app {
namespace {

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
    if (input.descriptor_ < 0) return base::last_error();
  }
  if (const std::error_code error = input.look()) return error;
  to = std::move(input);
  return {};
}

std::error_code Input::look() {
  const int descriptor = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) return base::last_error();
  const std::unique_ptr<input::OpenFile> file = input::take_over(descriptor);
  input::FileStatus status;
  if (const std::error_code error = file->status(status)) return error;
  if (status.directory) return std::make_error_code(std::errc::is_a_directory);
  regular_ = status.regular;
  if (!regular_) {
    identity_ = random_identity();
    return {};
  }
  std::string head;
  if (const std::error_code error = input::read_at(*file, 0, input::fingerprint_bytes, head)) return error;
  identity_ = input::identity_of(status, head, 0);
  size_ = status.size;
  const off_t at = ::lseek(descriptor_, 0, SEEK_CUR);
  if (at < 0) return base::last_error();
  offset_ = static_cast<std::uint64_t>(at);
#ifdef POSIX_FADV_SEQUENTIAL
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return {};
}

}  // namespace windlass::app
