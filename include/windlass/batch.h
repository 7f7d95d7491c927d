// Windlass: the unit of hand-out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <windlass/event_buffer.h>

namespace windlass {

/// A view of some events, in order, drawn from one or more buffers that it keeps alive. A client receives one for each
/// send. Cheap to move and to copy (a reference count a buffer); safe to read from several threads.
class Batch {
 public:
  /// Consecutive events of one buffer.
  struct Slice {
    std::shared_ptr<const EventBuffer> buffer;
    std::uint32_t first = 0;
    std::uint32_t count = 0;

    std::size_t bytes() const noexcept { return buffer->bytes_between(first, first + count); }
  };

  /// Visits the events in order.
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = std::string_view;

    Iterator() = default;
    std::string_view operator*() const noexcept { return (*slice_->buffer)[slice_->first + index_]; }
    Iterator& operator++() noexcept {
      if (++index_ == slice_->count) {
        ++slice_;
        index_ = 0;
      }
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class Batch;
    explicit Iterator(const Slice* slice) : slice_(slice) {}
    const Slice* slice_ = nullptr;
    std::uint32_t index_ = 0;
  };

  Batch() = default;
  /// All events of one buffer.
  explicit Batch(std::shared_ptr<const EventBuffer> buffer);

  /// Adds consecutive events at the end; they join the last slice where they continue it. A count of 0 adds nothing.
  void append(Slice slice);

  /// Events.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Bytes of all events together.
  std::size_t bytes() const noexcept { return bytes_; }

  Iterator begin() const noexcept { return Iterator(slices_.data()); }
  Iterator end() const noexcept { return Iterator(slices_.data() + slices_.size()); }
  /// The event at `index`, which must be below size(). Linear in the number of slices, which is one or a few.
  std::string_view operator[](std::size_t index) const noexcept;

  const std::vector<Slice>& slices() const noexcept { return slices_; }

  /// The events [first, first + count), sharing the buffers.
  Batch part(std::size_t first, std::size_t count) const;

 private:
  std::vector<Slice> slices_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace windlass
