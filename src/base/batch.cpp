#include <algorithm>
#include <utility>

#include <windlass/batch.h>

namespace windlass {

Batch::Batch(std::shared_ptr<const EventBuffer> buffer) {
  const auto count = static_cast<std::uint32_t>(buffer->size());
  append({std::move(buffer), 0, count});
}

void Batch::append(Slice slice) {
  if (slice.count == 0) return;
  size_ += slice.count;
  bytes_ += slice.bytes();
  if (!slices_.empty()) {
    Slice& last = slices_.back();
    if (last.buffer == slice.buffer && last.first + last.count == slice.first) {
      last.count += slice.count;
      return;
    }
  }
  slices_.push_back(std::move(slice));
}

std::string_view Batch::operator[](std::size_t index) const noexcept {
  auto slice = slices_.begin();
  while (index >= slice->count) index -= slice++->count;
  return (*slice->buffer)[slice->first + index];
}

Batch Batch::part(std::size_t first, std::size_t count) const {
  Batch result;
  for (const Slice& slice : slices_) {
    if (count == 0) break;
    if (first >= slice.count) {
      first -= slice.count;
      continue;
    }
    const std::size_t taken = std::min<std::size_t>(count, slice.count - first);
    result.append({slice.buffer, static_cast<std::uint32_t>(slice.first + first), static_cast<std::uint32_t>(taken)});
    first = 0;
    count -= taken;
  }
  return result;
}

}  // namespace windlass
