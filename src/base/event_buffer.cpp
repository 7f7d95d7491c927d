#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <windlass/event_buffer.h>

namespace windlass {

EventBuffer::EventBuffer(EventBuffer&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      ends_(std::exchange(other.ends_, {})) {}

EventBuffer& EventBuffer::operator=(EventBuffer&& other) noexcept {
  data_ = std::move(other.data_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  ends_ = std::exchange(other.ends_, {});
  return *this;
}

void EventBuffer::append(std::string_view event) {
  char* place = prepare(event.size());
  if (!event.empty()) std::memcpy(place, event.data(), event.size());
  commit(event.size());
}

char* EventBuffer::prepare(std::size_t bytes) {
  if (bytes > capacity_ - size_) grow(bytes);
  return data_.get() + size_;
}

void EventBuffer::commit(std::size_t bytes) {
  size_ += bytes;
  ends_.push_back(static_cast<std::uint32_t>(size_));
}

void EventBuffer::reserve(std::size_t bytes, std::size_t events) {
  if (bytes > capacity_ - size_) grow(bytes);
  ends_.reserve(ends_.size() + events);
}

void EventBuffer::clear() noexcept {
  size_ = 0;
  ends_.clear();
}

void EventBuffer::grow(std::size_t bytes) {
  if (bytes > max_bytes - size_) throw std::length_error("windlass::EventBuffer: more than 4 GiB of events");
  const std::size_t capacity = std::min(max_bytes, std::max(size_ + bytes, capacity_ * 2));
  auto data = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

}  // namespace windlass
