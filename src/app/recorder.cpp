#include "app/recorder.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace windlass::app {
namespace {

// Added bytes that are written without being asked to.
constexpr std::size_t enough = std::size_t{1} << 20;
constexpr std::size_t memory_kept = 2 * enough;

std::error_code last_error() {
  return {errno, std::system_category()};
}

void check(bool fine) {
  if (!fine) throw std::system_error(last_error());
}

/// Bytes of the file after its last newline.
off_t torn_bytes(int descriptor, off_t size) {
  std::vector<char> block(std::size_t{64} << 10);
  off_t end = size;
  while (end > 0) {
    const auto count = static_cast<std::size_t>(std::min<off_t>(end, static_cast<off_t>(block.size())));
    const ssize_t got = ::pread(descriptor, block.data(), count, end - static_cast<off_t>(count));
    check(got == static_cast<ssize_t>(count));
    const auto newline = std::string_view(block.data(), count).rfind('\n');
    if (newline != std::string_view::npos) return size - (end - static_cast<off_t>(count - newline - 1));
    end -= static_cast<off_t>(count);
  }
  return size;
}

}  // namespace

Recorder::Recorder(const std::string& path) {
  // Reading is for the repair only, and a pipe or device may not allow it.
  constexpr int flags = O_CREAT | O_APPEND | O_CLOEXEC;
  struct stat status {};
  const bool other = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  descriptor_ = ::open(path.c_str(), flags | (other ? O_WRONLY : O_RDWR), 0666);
  if (descriptor_ < 0) throw std::system_error(last_error(), path);
  if (other) return;
  try {
    own_and_repair();
  } catch (const std::system_error& error) {
    ::close(descriptor_);
    if (error.code() == std::errc::operation_would_block)
      throw std::system_error(std::make_error_code(std::errc::device_or_resource_busy), path);
    throw std::system_error(error.code(), path);
  }
}

Recorder::~Recorder() {
  flush();
  ::close(descriptor_);
}

void Recorder::own_and_repair() {
  check(::flock(descriptor_, LOCK_EX | LOCK_NB) == 0);
  struct stat status {};
  check(::fstat(descriptor_, &status) == 0);
  const off_t torn = torn_bytes(descriptor_, status.st_size);
  if (torn == 0) return;
  check(::ftruncate(descriptor_, status.st_size - torn) == 0);
  cut_bytes_ = static_cast<std::size_t>(torn);
}

void Recorder::add(std::string_view event) {
  if (error_) return;
  char* const to = pending_.prepare(event.size() + 1);
  std::copy(event.begin(), event.end(), to);
  to[event.size()] = '\n';
  if (event.find('\n') != std::string_view::npos) std::replace(to, to + event.size(), '\n', ' ');
  pending_.commit(event.size() + 1);
  if (pending_.size() >= enough) flush();
}

std::error_code Recorder::flush() {
  while (!error_ && !pending_.empty()) {
    const ssize_t written = ::write(descriptor_, pending_.view().data(), pending_.size());
    if (written >= 0) {
      pending_.consume(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = last_error();
      pending_.clear();
    }
  }
  pending_.shrink(memory_kept);
  return error_;
}

}  // namespace windlass::app
