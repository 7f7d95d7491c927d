#include "input/line_cutter.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace windlass::input {
namespace {

/// The most bytes of `text`, up to `limit`, that do not split a UTF-8 character.
std::size_t cut_length(const char* text, std::size_t limit) {
  const auto is_continuation = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
  std::size_t length = limit;
  while (length > limit - 3 && is_continuation(text[length])) --length;
  return is_continuation(text[length]) ? limit : length;
}

}  // namespace

LineCutter::LineCutter(Options options) : options_(options) {
  WINDLASS_ASSERT(options.block_bytes >= 1 && options.max_line_bytes >= 4);
}

void LineCutter::restart(Place place) {
  begin_ = scanned_ = end_ = 0;
  offset_ = place.offset;
  cut_line_ = place.line;
  discarding_ = place.discarding;
  at_end_ = false;
}

std::span<char> LineCutter::prepare() {
  make_room();
  return {data_.get() + end_, std::min(options_.block_bytes, capacity_ - end_)};
}

void LineCutter::commit(std::size_t count) {
  counters_.bytes += count;
  end_ += count;
}

/// Makes room for a block at the end, by moving the unfinished line to the front or by growing.
void LineCutter::make_room() {
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

bool LineCutter::next(Line& line) {
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
bool LineCutter::take_line(std::size_t length, std::size_t ending, Line& line) {
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
bool LineCutter::take_cut_line(Line& line) {
  const std::size_t length = cut_length(data_.get() + begin_, options_.max_line_bytes);
  line = {{data_.get() + begin_, length}, offset_, true};
  ++counters_.lines;
  ++counters_.cut_lines;
  cut_line_ = offset_;
  consume(length);
  discarding_ = true;
  scanned_ = end_;
  return true;
}

void LineCutter::consume(std::size_t count) {
  begin_ += count;
  offset_ += count;
  scanned_ = begin_;
}

}  // namespace windlass::input
