#include "app/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <unistd.h>

#include "base/assert.h"

namespace windlass::app {
namespace {

/// The most bytes of `text`, up to `limit`, that do not split a UTF-8 character.
std::size_t cut_length(const char* text, std::size_t limit) {
  const auto is_continuation = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
  std::size_t length = limit;
  while (length > limit - 3 && is_continuation(text[length])) --length;
  return is_continuation(text[length]) ? limit : length;
}

}  // namespace

LineReader::LineReader(int descriptor, Options options)
    : descriptor_(descriptor), options_(options), offset_(options.offset) {
  WINDLASS_ASSERT(options.block_bytes >= 1 && options.max_line_bytes >= 4);
}

LineReader::Filled LineReader::fill() {
  if (error_) return Filled::failed;
  if (at_end_) return Filled::end;
  make_room();
  if (options_.may_wait && !wait()) return error_ ? Filled::failed : Filled::interrupted;
  const ssize_t got = ::read(descriptor_, data_.get() + end_, std::min(options_.block_bytes, capacity_ - end_));
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return Filled::interrupted;
    error_ = {errno, std::system_category()};
    return Filled::failed;
  }
  if (got == 0) {
    at_end_ = true;
    // What is left is the last line.
    return end_ > begin_ ? Filled::block : Filled::end;
  }
  counters_.bytes += static_cast<std::uint64_t>(got);
  end_ += static_cast<std::size_t>(got);
  return Filled::block;
}

/// Until there is something to read; false when something else happened.
bool LineReader::wait() {
  pollfd descriptors[2] = {{descriptor_, POLLIN, 0}, {options_.wake_descriptor, POLLIN, 0}};
  if (::poll(descriptors, 2, -1) < 0) {
    if (errno != EINTR) error_ = {errno, std::system_category()};
    return false;
  }
  return descriptors[1].revents == 0;
}

/// Makes room for a block at the end, by moving the unfinished line to the front or by growing.
void LineReader::make_room() {
  const std::size_t left = end_ - begin_;
  // A line is cut once max_line_bytes and a possible "\r" are there without a newline.
  const std::size_t most = options_.max_line_bytes + 2 + options_.block_bytes;
  if (begin_ > 0 && (left <= begin_ || capacity_ - end_ < options_.block_bytes)) {
    std::memmove(data_.get(), data_.get() + begin_, left);
    scanned_ -= begin_;
    end_ = left;
    begin_ = 0;
  }
  if (capacity_ - end_ >= options_.block_bytes) return;
  const std::size_t wanted = std::min(most, std::max(capacity_ * 2, end_ + options_.block_bytes));
  if (wanted <= capacity_) return;
  auto data = std::make_unique_for_overwrite<char[]>(wanted);
  if (left > 0) std::memcpy(data.get(), data_.get() + begin_, left);
  data_ = std::move(data);
  capacity_ = wanted;
  scanned_ -= begin_;
  end_ = left;
  begin_ = 0;
}

bool LineReader::next(Line& line) {
  while (scanned_ < end_) {
    const void* found = std::memchr(data_.get() + scanned_, '\n', end_ - scanned_);
    if (found == nullptr) break;
    const std::size_t newline = static_cast<std::size_t>(static_cast<const char*>(found) - data_.get());
    std::size_t length = newline - begin_;
    if (discarding_) {
      discarding_ = false;
      counters_.cut_bytes += length - (length > 0 && data_[newline - 1] == '\r' ? 1 : 0);
      consume(length + 1);
      continue;
    }
    std::size_t ending = 1;
    if (length > 0 && data_[newline - 1] == '\r') {
      --length;
      ending = 2;
    }
    if (take_line(length, ending, line)) return true;
  }
  scanned_ = end_;
  const std::size_t left = end_ - begin_;
  if (discarding_) {
    // A "\r" may turn out to be a part of the line's end.
    const std::size_t kept = !at_end_ && left > 0 && data_[end_ - 1] == '\r' ? 1 : 0;
    counters_.cut_bytes += left - kept;
    consume(left - kept);
    scanned_ = end_;
    return false;
  }
  if (at_end_) return left > 0 && take_line(left, 0, line);
  return left > options_.max_line_bytes + 1 && take_cut_line(line);
}

/// Hands out the line of `length` bytes at begin_, whose end is there; false when it is to be skipped.
bool LineReader::take_line(std::size_t length, std::size_t ending, Line& line) {
  if (length == 0) {
    ++counters_.empty_lines;
    consume(ending);
    return false;
  }
  line = {{data_.get() + begin_, length}, offset_, false};
  if (length > options_.max_line_bytes) {
    line.text = line.text.substr(0, cut_length(line.text.data(), options_.max_line_bytes));
    line.cut = true;
    ++counters_.cut_lines;
    counters_.cut_bytes += length - line.text.size();
  }
  ++counters_.lines;
  consume(length + ending);
  return true;
}

/// Hands out the beginning of a line whose end is not there yet.
bool LineReader::take_cut_line(Line& line) {
  const std::size_t length = cut_length(data_.get() + begin_, options_.max_line_bytes);
  line = {{data_.get() + begin_, length}, offset_, true};
  ++counters_.lines;
  ++counters_.cut_lines;
  consume(length);
  discarding_ = true;
  scanned_ = end_;
  return true;
}

void LineReader::consume(std::size_t count) {
  begin_ += count;
  offset_ += count;
  scanned_ = begin_;
}

}  // namespace windlass::app
