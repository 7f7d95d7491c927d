// Windlass: events side by side in one buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace windlass {

/// Payloads one after another, with the place where each ends: what a publisher fills and what a batch points into.
/// An event is opaque bytes. Not thread-safe. Moving is cheap; copying is not offered.
class EventBuffer {
 public:
  /// The most bytes that one buffer can hold.
  static constexpr std::size_t max_bytes = std::numeric_limits<std::uint32_t>::max();

  EventBuffer() = default;
  EventBuffer(EventBuffer&& other) noexcept;
  EventBuffer& operator=(EventBuffer&& other) noexcept;
  EventBuffer(const EventBuffer&) = delete;
  EventBuffer& operator=(const EventBuffer&) = delete;

  /// Copies one event to the end. Throws std::length_error beyond max_bytes, std::bad_alloc without memory.
  void append(std::string_view event);

  /// For encoding in place: room for at least `bytes` more, to be written from the returned pointer on, then
  /// `commit` with what was written. Throws as append does. The pointer is good until the next non-const call.
  char* prepare(std::size_t bytes);
  /// Ends an event of `bytes` bytes that were written at prepare()'s pointer. The next one may follow behind it, up to
  /// what was prepared in all.
  void commit(std::size_t bytes);

  /// Makes room at once for this many bytes and events.
  void reserve(std::size_t bytes, std::size_t events);
  /// Forgets the events, keeps the memory.
  void clear() noexcept;

  std::size_t size() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  /// Bytes of all events together.
  std::size_t bytes() const noexcept { return size_; }
  /// Bytes of memory held.
  std::size_t capacity() const noexcept { return capacity_; }

  /// The event at `index`, which must be below size().
  std::string_view operator[](std::size_t index) const noexcept {
    const std::size_t begin = begin_of(index);
    return {data_.get() + begin, ends_[index] - begin};
  }
  /// Bytes of the events [first, last).
  std::size_t bytes_between(std::size_t first, std::size_t last) const noexcept {
    return first == last ? 0 : ends_[last - 1] - begin_of(first);
  }

 private:
  std::size_t begin_of(std::size_t index) const noexcept { return index == 0 ? 0 : ends_[index - 1]; }
  void grow(std::size_t bytes);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::vector<std::uint32_t> ends_;
};

}  // namespace windlass
