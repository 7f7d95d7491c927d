#include "runtime/line_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/assert.h"
#include "base/files.h"

namespace windlass::runtime {
namespace {

// Added bytes that are written without being asked to.
constexpr std::size_t enough = std::size_t{1} << 20;
constexpr std::size_t memory_kept = 2 * enough;

std::error_code error_unless(bool fine) {
  return fine ? std::error_code() : base::last_error();
}

/// The place after the last newline of the file, looked for in its last `most` bytes; -1: an error of the system's.
off_t end_of_lines(int descriptor, off_t size, off_t most) {
  std::array<char, std::size_t{64} << 10> block;
  for (off_t end = size; end > std::max<off_t>(0, size - most);) {
    const auto count = static_cast<std::size_t>(std::min<off_t>(end, static_cast<off_t>(block.size())));
    const ssize_t got = ::pread(descriptor, block.data(), count, end - static_cast<off_t>(count));
    if (got < 0) return -1;
    const std::string_view read(block.data(), static_cast<std::size_t>(got));
    if (const auto newline = read.rfind('\n'); newline != std::string_view::npos)
      return end - static_cast<off_t>(count) + static_cast<off_t>(newline) + 1;
    end -= static_cast<off_t>(count);
  }
  return 0;
}

struct Written {
  std::size_t bytes = 0;
  std::error_code error;  // why it is not all
};

Written write_all(int descriptor, std::string_view bytes) {
  Written written;
  while (written.bytes < bytes.size() && !written.error) {
    const ssize_t count = ::write(descriptor, bytes.data() + written.bytes, bytes.size() - written.bytes);
    if (count > 0) {
      written.bytes += static_cast<std::size_t>(count);
    } else if (count == 0) {
      written.error = std::make_error_code(std::errc::io_error);
    } else if (errno == EAGAIN) {
      // Standard output may be shared with somebody who does not want to wait.
      pollfd writable{descriptor, POLLOUT, 0};
      if (::poll(&writable, 1, -1) < 0 && errno != EINTR) written.error = base::last_error();
    } else if (errno != EINTR) {
      written.error = base::last_error();
    }
  }
  return written;
}

/// A name in a directory is durable only when the directory is.
std::error_code sync_directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return base::sync_directory(parent.empty() ? "." : parent.string());
}

}  // namespace

std::error_code LineFile::open() {
  WINDLASS_ASSERT(!is_open());
  cut_bytes_ = 0;
  begun_ = false;
  size_ = 0;
  if (options_.path == "-") {
    regular_ = false;
    descriptor_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return error_unless(is_open());
  }
  // Reading is for the repair only, and a pipe or device may not allow it.
  struct stat status {};
  const bool other = ::stat(options_.path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  regular_ = !other;
  descriptor_ = ::open(options_.path.c_str(), O_CREAT | O_APPEND | O_CLOEXEC | (other ? O_WRONLY : O_RDWR),
                       static_cast<mode_t>(options_.permissions));
  if (!is_open()) return base::last_error();
  const std::error_code error = regular_ ? own_and_repair() : std::error_code();
  if (error) close();
  return error;
}

void LineFile::close() noexcept {
  if (is_open()) ::close(descriptor_);
  descriptor_ = -1;
  pending_.clear();
  pending_lines_ = written_lines_ = durable_lines_ = 0;
  unsafe_bytes_ = 0;
  error_.clear();
}

std::error_code LineFile::own_and_repair() {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? std::make_error_code(std::errc::device_or_resource_busy) : base::last_error();
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return base::last_error();
  const off_t end = end_of_lines(descriptor_, status.st_size, static_cast<off_t>(max_torn));
  if (end < 0) return base::last_error();
  size_ = static_cast<std::uint64_t>(status.st_size);
  const auto torn = static_cast<std::size_t>(status.st_size - end);
  if (torn > max_torn) {
    begun_ = true;
  } else if (torn > 0) {
    if (::ftruncate(descriptor_, end) != 0) return base::last_error();
    size_ = static_cast<std::uint64_t>(end);
    cut_bytes_ = torn;
  }
  return options_.sync ? sync_directory_of(options_.path) : std::error_code();
}

void LineFile::add(std::string_view line) {
  WINDLASS_ASSERT(is_open());
  if (error_) return;
  const std::uint64_t full = size_ + pending_.size();
  if (regular_ && options_.rotate_bytes > 0 && full > 0 && full + line.size() + 1 > options_.rotate_bytes) {
    error_ = write_pending();
    if (!error_ && options_.sync) error_ = make_durable();
    if (!error_) error_ = rotate();
    if (error_) return;
  }
  char* const to = pending_.prepare(line.size() + 1);
  std::replace_copy(line.begin(), line.end(), to, '\n', ' ');
  to[line.size()] = '\n';
  pending_.commit(line.size() + 1);
  ++pending_lines_;
  if (pending_.size() >= enough) error_ = write_pending();
}

LineFile::Flushed LineFile::flush() {
  WINDLASS_ASSERT(is_open());
  if (!error_) error_ = write_pending();
  if (options_.sync && regular_) {
    // Lines before the one that did not fit are kept, so they too must be safe.
    if (const std::error_code error = make_durable(); error && !error_) error_ = error;
  } else {
    durable_lines_ = written_lines_;
  }
  const Flushed flushed{durable_lines_, error_};
  pending_.clear();
  pending_.shrink(memory_kept);
  pending_lines_ = written_lines_ = durable_lines_ = 0;
  unsafe_bytes_ = 0;
  error_.clear();
  return flushed;
}

std::error_code LineFile::write_pending() {
  if (begun_) {
    if (const auto [written, error] = write_all(descriptor_, "\n"); error) return error;
    begun_ = false;
    ++size_;
  }
  const std::string_view all = pending_.view();
  const auto [written, error] = write_all(descriptor_, all);
  const std::string_view done = all.substr(0, written);
  const std::size_t whole = done.rfind('\n') + 1;  // npos + 1 is 0
  written_lines_ += error ? static_cast<std::size_t>(std::count(done.begin(), done.end(), '\n')) : pending_lines_;
  size_ += written;
  unsafe_bytes_ += whole;
  if (whole < written) cut_off(written - whole);
  pending_.clear();
  pending_lines_ = 0;
  return error;
}

/// Removes what was written last from the end of the file. Where that is not possible it will be ended.
void LineFile::cut_off(std::size_t bytes) {
  struct stat status {};
  // Asked for, as somebody else may have shortened the file.
  const bool cut = regular_ && ::fstat(descriptor_, &status) == 0 && status.st_size >= static_cast<off_t>(bytes) &&
                   ::ftruncate(descriptor_, status.st_size - static_cast<off_t>(bytes)) == 0;
  if (cut)
    size_ -= bytes;
  else
    begun_ = true;
}

std::error_code LineFile::make_durable() {
  if (unsafe_bytes_ > 0 && ::fdatasync(descriptor_) != 0) {
    const std::error_code error = base::last_error();
    // Which of it is on the disk is not known any more.
    cut_off(unsafe_bytes_);
    unsafe_bytes_ = 0;
    written_lines_ = durable_lines_;
    return error;
  }
  durable_lines_ = written_lines_;
  unsafe_bytes_ = 0;
  return {};
}

std::error_code LineFile::rotate() {
  const auto name = [&](unsigned number) {
    return number == 0 ? options_.path : fmt::format("{}.{}", options_.path, number);
  };
  // A file that is missing leaves a gap, which the next rotation fills.
  for (unsigned number = options_.number_of_files - 1; number > 0; --number)
    if (::rename(name(number - 1).c_str(), name(number).c_str()) != 0 && errno != ENOENT) return base::last_error();

  const int next = ::open(options_.path.c_str(), O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_RDWR,
                          static_cast<mode_t>(options_.permissions));
  if (next < 0) return base::last_error();
  std::error_code error = error_unless(::flock(next, LOCK_EX | LOCK_NB) == 0);
  if (!error && options_.sync) error = sync_directory_of(options_.path);
  if (error) {
    ::close(next);
    return error;
  }
  ::close(descriptor_);
  descriptor_ = next;
  size_ = 0;
  durable_lines_ = written_lines_;
  unsafe_bytes_ = 0;
  return {};
}

}  // namespace windlass::runtime
